#include "net/net_error.h"

#include <errno.h>
#include <string.h>

#include <array>
#include <cstdint>
#include <utility>
#include <vector>

#include "absl/strings/cord.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"

namespace rollcall::net {
namespace {

constexpr char kPayloadType[] = "type.rollcall/net.NetErrorInfo";

struct KindRow {
  NetErrorKind kind;
  absl::string_view name;
  absl::StatusCode code;
};

constexpr std::array kKinds = {
    KindRow{NetErrorKind::kUnknown, "unknown", absl::StatusCode::kUnknown},
    KindRow{NetErrorKind::kRefused, "refused", absl::StatusCode::kUnavailable},
    KindRow{NetErrorKind::kNoAnswer, "no answer", absl::StatusCode::kDeadlineExceeded},
    KindRow{NetErrorKind::kUnreachable, "unreachable", absl::StatusCode::kUnavailable},
    KindRow{NetErrorKind::kNameLookup, "name look-up failed", absl::StatusCode::kUnavailable},
    KindRow{NetErrorKind::kAddressInUse, "address in use", absl::StatusCode::kFailedPrecondition},
    KindRow{NetErrorKind::kAddressNotLocal, "address not local",
            absl::StatusCode::kInvalidArgument},
    KindRow{NetErrorKind::kPermission, "permission denied", absl::StatusCode::kPermissionDenied},
    KindRow{NetErrorKind::kClosedByPeer, "closed by peer", absl::StatusCode::kUnavailable},
    KindRow{NetErrorKind::kReset, "reset", absl::StatusCode::kUnavailable},
    KindRow{NetErrorKind::kPeerVanished, "peer vanished", absl::StatusCode::kUnavailable},
    KindRow{NetErrorKind::kTimedOut, "timed out", absl::StatusCode::kDeadlineExceeded},
    KindRow{NetErrorKind::kResourceExhausted, "resource exhausted",
            absl::StatusCode::kResourceExhausted},
    KindRow{NetErrorKind::kBadDescriptor, "bad descriptor", absl::StatusCode::kInvalidArgument},
    KindRow{NetErrorKind::kShutDown, "shut down", absl::StatusCode::kCancelled},
    KindRow{NetErrorKind::kTls, "TLS failed", absl::StatusCode::kUnauthenticated},
    KindRow{NetErrorKind::kBug, "bug", absl::StatusCode::kInternal},
};

const KindRow& RowOf(NetErrorKind kind) {
  for (const KindRow& row : kKinds) {
    if (row.kind == kind) return row;
  }
  return kKinds.front();
}

// kind, errno, attempts, elapsed nanoseconds, address; the address last, as it may hold anything.
absl::Cord Encode(const NetErrorInfo& info) {
  return absl::Cord(absl::StrCat(static_cast<int>(info.kind), ",", info.errno_value, ",",
                                 info.attempts, ",", absl::ToInt64Nanoseconds(info.elapsed), ",",
                                 info.address));
}

std::optional<NetErrorInfo> Decode(const absl::Cord& payload) {
  const std::string text(payload);
  const std::vector<std::string> fields = absl::StrSplit(text, absl::MaxSplits(',', 4));
  NetErrorInfo info;
  int kind = 0;
  int64_t elapsed_ns = 0;
  if (fields.size() != 5 || !absl::SimpleAtoi(fields[0], &kind) ||
      !absl::SimpleAtoi(fields[1], &info.errno_value) ||
      !absl::SimpleAtoi(fields[2], &info.attempts) || !absl::SimpleAtoi(fields[3], &elapsed_ns)) {
    return std::nullopt;
  }
  info.kind = RowOf(static_cast<NetErrorKind>(kind)).kind;
  info.elapsed = absl::Nanoseconds(elapsed_ns);
  info.address = fields[4];
  return info;
}

std::string Describe(absl::string_view what, const NetErrorInfo& info) {
  std::string message(what);
  if (info.errno_value != 0) {
    const char* const text = strerrordesc_np(info.errno_value);
    absl::StrAppend(&message, ": ", ErrnoName(info.errno_value));
    if (text != nullptr) absl::StrAppend(&message, " (", text, ")");
  }
  std::vector<std::string> known;
  if (!info.address.empty() && !absl::StrContains(message, info.address)) {
    known.push_back(info.address);
  }
  if (info.attempts > 0) {
    known.push_back(absl::StrCat(info.attempts, info.attempts == 1 ? " attempt" : " attempts"));
  }
  if (info.elapsed > absl::ZeroDuration()) {
    known.push_back(absl::StrCat("after ", absl::FormatDuration(absl::Trunc(
                                               info.elapsed, info.elapsed < absl::Milliseconds(1)
                                                                 ? absl::Microseconds(1)
                                                                 : absl::Milliseconds(1)))));
  }
  if (!known.empty()) absl::StrAppend(&message, " [", absl::StrJoin(known, ", "), "]");
  return message;
}

NetErrorKind KindWhileConnecting(int errno_value) {
  switch (errno_value) {
    case ETIMEDOUT:
      return NetErrorKind::kNoAnswer;
    case ENETUNREACH:
    case EHOSTUNREACH:
    case ENETDOWN:
    case EHOSTDOWN:
    case ENONET:
    case EAFNOSUPPORT:  // This kernel has no IPv6 (or IPv4): there is no way there from here.
    case EINVAL:        // A link-local address without its interface.
      return NetErrorKind::kUnreachable;
    case EADDRNOTAVAIL:  // Every local port is taken.
    case EADDRINUSE:
    case EAGAIN:
      return NetErrorKind::kResourceExhausted;
    default:
      return NetErrorKind::kUnknown;
  }
}

NetErrorKind KindWhileBinding(int errno_value) {
  switch (errno_value) {
    case EADDRINUSE:
      return NetErrorKind::kAddressInUse;
    case EADDRNOTAVAIL:
    case EAFNOSUPPORT:
    case ENODEV:
      return NetErrorKind::kAddressNotLocal;
    default:
      return NetErrorKind::kUnknown;
  }
}

NetErrorKind KindOfTransfer(int errno_value) {
  switch (errno_value) {
    // The kernel gives up a live connection with the last ICMP error it was told of, if any.
    case ETIMEDOUT:
    case ENETUNREACH:
    case EHOSTUNREACH:
    case ENETDOWN:
    case EHOSTDOWN:
      return NetErrorKind::kPeerVanished;
    case EAGAIN:
      return NetErrorKind::kTimedOut;
    default:
      return NetErrorKind::kUnknown;
  }
}

NetErrorKind KindInAnyPhase(int errno_value) {
  switch (errno_value) {
    case ECONNREFUSED:
      return NetErrorKind::kRefused;
    case ECONNRESET:
    case ECONNABORTED:
      return NetErrorKind::kReset;
    case EPIPE:
      return NetErrorKind::kClosedByPeer;
    case ETIMEDOUT:
      return NetErrorKind::kPeerVanished;
    case ENETUNREACH:
    case EHOSTUNREACH:
    case ENETDOWN:
    case EHOSTDOWN:
      return NetErrorKind::kUnreachable;
    case EADDRINUSE:
      return NetErrorKind::kAddressInUse;
    case EADDRNOTAVAIL:
      return NetErrorKind::kAddressNotLocal;
    case EACCES:
    case EPERM:
      return NetErrorKind::kPermission;
    case EMFILE:
    case ENFILE:
    case ENOBUFS:
    case ENOMEM:
    case ENOSPC:
      return NetErrorKind::kResourceExhausted;
    case EBADF:
    case ENOTSOCK:
    case EFAULT:
    case EINVAL:
    case ENOTCONN:
    case EDESTADDRREQ:
    case EOPNOTSUPP:
      return NetErrorKind::kBug;
    default:
      return NetErrorKind::kUnknown;
  }
}

}  // namespace

absl::string_view NetErrorKindName(NetErrorKind kind) { return RowOf(kind).name; }

std::string ErrnoName(int errno_value) {
  const char* const name = strerrorname_np(errno_value);
  return name != nullptr ? std::string(name) : absl::StrCat("errno ", errno_value);
}

NetErrorKind KindOfErrno(int errno_value, Phase phase) {
  NetErrorKind kind = NetErrorKind::kUnknown;
  if (phase == Phase::kConnect) kind = KindWhileConnecting(errno_value);
  if (phase == Phase::kBind) kind = KindWhileBinding(errno_value);
  if (phase == Phase::kTransfer) kind = KindOfTransfer(errno_value);
  return kind != NetErrorKind::kUnknown ? kind : KindInAnyPhase(errno_value);
}

absl::Status NetError(absl::string_view what, NetErrorInfo info) {
  absl::Status status(RowOf(info.kind).code, Describe(what, info));
  status.SetPayload(kPayloadType, Encode(info));
  return status;
}

absl::Status ErrnoError(absl::string_view what, int errno_value, Phase phase,
                        absl::string_view address) {
  return NetError(what, {.kind = KindOfErrno(errno_value, phase),
                         .errno_value = errno_value,
                         .address = std::string(address)});
}

absl::Status DeadlinePassed(const absl::Status& reason) {
  absl::Status status(absl::StatusCode::kDeadlineExceeded, reason.message());
  reason.ForEachPayload(
      [&](absl::string_view type, const absl::Cord& payload) { status.SetPayload(type, payload); });
  return status;
}

std::optional<NetErrorInfo> GetNetErrorInfo(const absl::Status& status) {
  const auto payload = status.GetPayload(kPayloadType);
  if (!payload.has_value()) return std::nullopt;
  return Decode(*payload);
}

}  // namespace rollcall::net
