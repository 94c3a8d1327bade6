#include "store/etcd/etcd_failure.h"

#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace rollcall::etcd {
namespace {

bool Says(const RpcStatus& status, absl::string_view text) {
  return absl::StrContains(absl::string_view(status.message().data(), status.message().size()),
                           text);
}

// The texts are those of etcdserver/api/v3rpc/rpctypes/error.go; etcd gives several of them one
// code.
FailureKind KindOfUnavailable(const RpcStatus& status) {
  if (Says(status, "no leader") || Says(status, "leader changed") ||
      Says(status, "request timed out")) {
    return FailureKind::kNoLeader;
  }
  if (Says(status, "ailed to connect") || Says(status, "DNS resolution failed") ||
      Says(status, "name resolver")) {
    return FailureKind::kNotConnected;
  }
  return FailureKind::kLost;
}

FailureKind KindOfExhausted(const RpcStatus& status) {
  if (Says(status, "database space exceeded")) return FailureKind::kNoSpace;
  if (Says(status, "too many requests")) return FailureKind::kLost;
  return FailureKind::kTooLarge;
}

FailureKind KindOfInvalidArgument(const RpcStatus& status) {
  if (Says(status, "auth store is old")) return FailureKind::kTokenExpired;
  if (Says(status, "too large")) return FailureKind::kTooLarge;
  if (Says(status, "authentication failed") || Says(status, "user name is empty") ||
      Says(status, "user name not found")) {
    return FailureKind::kRefused;
  }
  return FailureKind::kOther;
}

// gRPC's own messages name the address again and again; the last sentence is what happened.
std::string Shortened(const RpcStatus& status) {
  std::string text(status.message());
  for (const absl::string_view before : {"last error: UNKNOWN: ", "last error: "}) {
    if (const size_t found = text.find(std::string(before)); found != std::string::npos) {
      text = text.substr(found + before.size());
    }
  }
  return text.empty() ? absl::StrCat("error ", static_cast<int>(status.code())) : text;
}

ErrorCode CodeOfFinal(FailureKind kind) {
  switch (kind) {
    case FailureKind::kRefused:
    case FailureKind::kTokenExpired:
      return ErrorCode::kEtcdAuth;
    case FailureKind::kLeaseNotFound:
      return ErrorCode::kEtcdLeaseLost;
    case FailureKind::kNoSpace:
      return ErrorCode::kEtcdNoSpace;
    case FailureKind::kTooLarge:
      return ErrorCode::kEtcdRequestTooLarge;
    case FailureKind::kNotConnected:
    case FailureKind::kNoLeader:
    case FailureKind::kNoAnswer:
    case FailureKind::kLost:
    case FailureKind::kOther:
      break;
  }
  return ErrorCode::kProtocol;
}

}  // namespace

FailureKind KindOf(const RpcStatus& status) {
  switch (status.code()) {
    case absl::StatusCode::kUnavailable:
      return KindOfUnavailable(status);
    case absl::StatusCode::kDeadlineExceeded:
      return FailureKind::kNoAnswer;
    case absl::StatusCode::kUnauthenticated:
      return FailureKind::kTokenExpired;
    case absl::StatusCode::kPermissionDenied:
      return FailureKind::kRefused;
    case absl::StatusCode::kResourceExhausted:
      return KindOfExhausted(status);
    case absl::StatusCode::kInvalidArgument:
      return KindOfInvalidArgument(status);
    case absl::StatusCode::kNotFound:
      return Says(status, "lease not found") ? FailureKind::kLeaseNotFound : FailureKind::kOther;
    case absl::StatusCode::kFailedPrecondition:
      return Says(status, "authentication is not enabled") ? FailureKind::kRefused
                                                           : FailureKind::kOther;
    case absl::StatusCode::kUnimplemented:
    case absl::StatusCode::kOutOfRange:
      return FailureKind::kOther;
    default:
      return FailureKind::kLost;
  }
}

bool IsWorthAnother(FailureKind kind) {
  return kind == FailureKind::kNotConnected || kind == FailureKind::kNoLeader ||
         kind == FailureKind::kNoAnswer || kind == FailureKind::kLost;
}

void Attempts::Note(const std::string& endpoint, FailureKind kind, const RpcStatus& status,
                    absl::Duration waited) {
  ++count_;
  // A member that has lost its leader may have handed the request on before.
  if (kind != FailureKind::kNotConnected && !Says(status, "no leader")) is_uncertain_ = true;
  if (kind == FailureKind::kNoLeader) had_no_leader_ = true;
  if (kind != FailureKind::kNoAnswer || count_ > 1) only_ran_out_of_time_ = false;
  Tried& tried = by_endpoint_[endpoint];
  ++tried.count;
  tried.last = kind == FailureKind::kNoAnswer
                   ? absl::StrCat("no answer within ",
                                  absl::FormatDuration(absl::Trunc(waited, absl::Milliseconds(1))))
                   : Shortened(status);
}

ErrorDetails Attempts::Details(const EtcdCall& call, const std::string& peer,
                               absl::Time now) const {
  return {.operation = call.operation,
          .keys = call.keys,
          .peer = peer,
          .attempts = count_,
          .elapsed = now - call.started};
}

std::string Attempts::WhatIsUncertain(const EtcdCall& call) const {
  if (!call.changes || !is_uncertain_) return "";
  return "; it is not known whether the change was made";
}

absl::Status Attempts::TimeUp(const EtcdCall& call, const std::string& peer, absl::Time now) const {
  const ErrorCode code = only_ran_out_of_time_ ? ErrorCode::kReplyTimeout
                         : had_no_leader_      ? ErrorCode::kEtcdNoLeader
                                               : ErrorCode::kEtcdUnreachable;
  std::string summary = code == ErrorCode::kReplyTimeout   ? "etcd did not answer in time: "
                        : code == ErrorCode::kEtcdNoLeader ? "etcd has no leader: "
                                                           : "no member of etcd can be reached: ";
  absl::StrAppend(&summary,
                  absl::StrJoin(by_endpoint_, "; ",
                                [](std::string* out, const auto& tried) {
                                  absl::StrAppend(out, tried.first, ": ", tried.second.last);
                                  if (tried.second.count > 1) {
                                    absl::StrAppend(out, " (", tried.second.count, " times)");
                                  }
                                }),
                  WhatIsUncertain(call));
  return StoreStatus(code, std::move(summary), Details(call, peer, now));
}

absl::Status Attempts::Final(const EtcdCall& call, const std::string& peer, absl::Time now,
                             const std::string& endpoint, FailureKind kind,
                             const RpcStatus& status) const {
  ErrorDetails details = Details(call, peer, now);
  ++details.attempts;
  return StoreStatus(
      CodeOfFinal(kind),
      absl::StrCat("etcd at ", endpoint, " says: ", Shortened(status), WhatIsUncertain(call)),
      std::move(details));
}

absl::Status LeaseLostError(const EtcdCall& call, const std::string& peer, absl::Time now,
                            absl::string_view how) {
  return StoreStatus(
      ErrorCode::kEtcdLeaseLost,
      absl::StrCat("the job's lease is lost: ", how,
                   "; what the job stored is gone, and this store is of no more use"),
      {.operation = call.operation,
       .keys = call.keys,
       .peer = peer,
       .elapsed = now - call.started});
}

}  // namespace rollcall::etcd
