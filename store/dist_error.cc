#include "store/dist_error.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <stdexcept>
#include <utility>

#include "absl/strings/cord.h"
#include "absl/strings/escaping.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "net/net_error.h"

namespace rollcall {
namespace {

constexpr char kPayloadUrl[] = "rollcall/store_error";

// A time-out with a thousand missing ranks must still be one readable line; details() has them all.
constexpr size_t kNamedMax = 32;

// --- The payload: a row of texts, each with its length before it ---

void PutText(absl::string_view text, std::string& out) {
  absl::StrAppend(&out, text.size(), ":", text);
}

void PutNumber(int64_t number, std::string& out) { PutText(absl::StrCat(number), out); }

template <typename Items, typename PutItem>
void PutList(const Items& items, PutItem put_item, std::string& out) {
  PutNumber(static_cast<int64_t>(items.size()), out);
  for (const auto& item : items) put_item(item, out);
}

// Only our own payloads are read, so nothing in them can be wrong.
std::string TakeText(absl::string_view& in) {
  const size_t colon = in.find(':');
  size_t length = 0;
  if (colon == absl::string_view::npos || !absl::SimpleAtoi(in.substr(0, colon), &length))
    return "";
  std::string text(in.substr(colon + 1, length));
  in.remove_prefix(colon + 1 + text.size());
  return text;
}

int64_t TakeNumber(absl::string_view& in) {
  int64_t number = 0;
  return absl::SimpleAtoi(TakeText(in), &number) ? number : 0;
}

template <typename Item, typename TakeItem>
std::vector<Item> TakeList(absl::string_view& in, TakeItem take_item) {
  std::vector<Item> items;
  for (int64_t left = TakeNumber(in); left > 0; --left) {
    items.push_back(static_cast<Item>(take_item(in)));
  }
  return items;
}

struct Payload {
  ErrorCode code;
  ErrorDetails details;
};

std::string Encode(const Payload& payload) {
  const ErrorDetails& details = payload.details;
  std::string out;
  PutNumber(static_cast<int64_t>(payload.code), out);
  PutText(details.operation, out);
  PutList(details.keys, PutText, out);
  PutText(details.peer, out);
  PutNumber(details.attempts, out);
  PutNumber(absl::ToInt64Nanoseconds(details.elapsed), out);
  PutList(details.missing_ranks, PutNumber, out);
  PutList(details.missing_keys, PutText, out);
  PutNumber(details.world_size, out);
  return out;
}

Payload Decode(absl::string_view in) {
  Payload payload;
  ErrorDetails& details = payload.details;
  payload.code = static_cast<ErrorCode>(TakeNumber(in));
  details.operation = TakeText(in);
  details.keys = TakeList<std::string>(in, TakeText);
  details.peer = TakeText(in);
  details.attempts = static_cast<int>(TakeNumber(in));
  details.elapsed = absl::Nanoseconds(TakeNumber(in));
  details.missing_ranks = TakeList<int>(in, TakeNumber);
  details.missing_keys = TakeList<std::string>(in, TakeText);
  details.world_size = static_cast<int>(TakeNumber(in));
  return payload;
}

std::optional<Payload> PayloadOf(const absl::Status& status) {
  const auto payload = status.GetPayload(kPayloadUrl);
  if (!payload.has_value()) return std::nullopt;
  return Decode(std::string(*payload));
}

absl::StatusCode StatusCodeOf(ErrorCode code) {
  switch (code) {
    case ErrorCode::kWaitTimeout:
    case ErrorCode::kJoinTimeout:
    case ErrorCode::kBarrierTimeout:
    case ErrorCode::kGatherTimeout:
    case ErrorCode::kReplyTimeout:
      return absl::StatusCode::kDeadlineExceeded;
    case ErrorCode::kQueueEmpty:
      return absl::StatusCode::kNotFound;
    case ErrorCode::kUnsupported:
      return absl::StatusCode::kUnimplemented;
    case ErrorCode::kKeyTooLong:
    case ErrorCode::kValueTooLarge:
    case ErrorCode::kTooManyKeys:
    case ErrorCode::kSizeMismatch:
    case ErrorCode::kNotANumber:
    case ErrorCode::kAddressInUse:
    case ErrorCode::kCannotListen:
    case ErrorCode::kListenDescriptor:
    case ErrorCode::kEtcdLeaseLost:
    case ErrorCode::kEtcdRequestTooLarge:
      return absl::StatusCode::kFailedPrecondition;
    case ErrorCode::kEtcdAuth:
      return absl::StatusCode::kPermissionDenied;
    case ErrorCode::kProtocol:
      return absl::StatusCode::kDataLoss;
    case ErrorCode::kResourceExhausted:
    case ErrorCode::kEtcdNoSpace:
    case ErrorCode::kStoreFull:
      return absl::StatusCode::kResourceExhausted;
    case ErrorCode::kClosed:
      return absl::StatusCode::kCancelled;
    case ErrorCode::kTlsFailed:
    case ErrorCode::kTokenRejected:
      return absl::StatusCode::kUnauthenticated;
    case ErrorCode::kFile:
    case ErrorCode::kConnectRefused:
    case ErrorCode::kConnectNoAnswer:
    case ErrorCode::kUnreachable:
    case ErrorCode::kNameLookup:
    case ErrorCode::kNotAStore:
    case ErrorCode::kConnectionLost:
    case ErrorCode::kEtcdUnreachable:
    case ErrorCode::kEtcdNoLeader:
      return absl::StatusCode::kUnavailable;
  }
  return absl::StatusCode::kUnknown;
}

ErrorCode CodeOfNet(net::NetErrorKind kind) {
  switch (kind) {
    case net::NetErrorKind::kRefused:
      return ErrorCode::kConnectRefused;
    case net::NetErrorKind::kNoAnswer:
      return ErrorCode::kConnectNoAnswer;
    case net::NetErrorKind::kUnreachable:
      return ErrorCode::kUnreachable;
    case net::NetErrorKind::kNameLookup:
      return ErrorCode::kNameLookup;
    case net::NetErrorKind::kAddressInUse:
      return ErrorCode::kAddressInUse;
    case net::NetErrorKind::kAddressNotLocal:
    case net::NetErrorKind::kPermission:
      return ErrorCode::kCannotListen;
    case net::NetErrorKind::kTimedOut:
      return ErrorCode::kReplyTimeout;
    case net::NetErrorKind::kResourceExhausted:
      return ErrorCode::kResourceExhausted;
    case net::NetErrorKind::kBadDescriptor:
      return ErrorCode::kListenDescriptor;
    case net::NetErrorKind::kShutDown:
      return ErrorCode::kClosed;
    case net::NetErrorKind::kTls:
      return ErrorCode::kTlsFailed;
    case net::NetErrorKind::kClosedByPeer:
    case net::NetErrorKind::kReset:
    case net::NetErrorKind::kPeerVanished:
    case net::NetErrorKind::kBug:
    case net::NetErrorKind::kUnknown:
      return ErrorCode::kConnectionLost;
  }
  return ErrorCode::kConnectionLost;
}

// --- what() ---

std::string Shown(const std::string& key) {
  return absl::StrCat("\"", absl::Utf8SafeCHexEscape(key), "\"");
}

template <typename Items, typename ShowItem>
std::string ShownList(const Items& items, ShowItem show_item) {
  std::string text;
  for (size_t i = 0; i < items.size() && i < kNamedMax; ++i) {
    absl::StrAppend(&text, i == 0 ? "" : ", ", show_item(items[i]));
  }
  if (items.size() > kNamedMax) absl::StrAppend(&text, " and ", items.size() - kNamedMax, " more");
  return text;
}

// To the millisecond: the digits below it are noise. Short times keep all they have.
std::string ShownTime(absl::Duration time) {
  if (time > absl::Milliseconds(10) && time < absl::InfiniteDuration()) {
    time = absl::Trunc(time, absl::Milliseconds(1));
  }
  return absl::FormatDuration(time);
}

// "summary [CODE in operation of key "k", at peer, 3 attempts, 1.2s, missing ranks 1, 2] Remedy."
std::string Compose(ErrorCode code, absl::string_view summary, const ErrorDetails& details) {
  const ErrorCodeInfo& info = InfoOf(code);
  std::vector<std::string> facts;
  std::string head(info.name);
  if (!details.operation.empty()) absl::StrAppend(&head, " in ", details.operation);
  if (!details.keys.empty()) {
    absl::StrAppend(&head, details.keys.size() == 1 ? " of key " : " of keys ",
                    ShownList(details.keys, Shown));
  }
  facts.push_back(std::move(head));
  if (!details.peer.empty()) facts.push_back(absl::StrCat("store ", details.peer));
  if (details.attempts > 0) {
    facts.push_back(
        absl::StrCat(details.attempts, details.attempts == 1 ? " attempt" : " attempts"));
  }
  if (details.elapsed > absl::ZeroDuration()) {
    facts.push_back(absl::StrCat("after ", ShownTime(details.elapsed)));
  }
  if (!details.missing_ranks.empty()) {
    facts.push_back(absl::StrCat("missing ranks ", ShownList(details.missing_ranks, [](int rank) {
                                   return absl::StrCat(rank);
                                 })));
  }
  if (!details.missing_keys.empty() && details.missing_keys.size() < details.keys.size()) {
    facts.push_back(absl::StrCat("missing keys ", ShownList(details.missing_keys, Shown)));
  }
  if (details.world_size > 0) facts.push_back(absl::StrCat("world size ", details.world_size));
  return absl::StrCat(summary, " [", absl::StrJoin(facts, "; "), "] ", info.remedy);
}

}  // namespace

DistError::DistError(ErrorCode code, std::string summary, ErrorDetails details)
    : std::runtime_error(Compose(code, summary, details)),
      code_(code),
      summary_(std::move(summary)),
      details_(std::move(details)) {}

DistStoreError::DistStoreError(ErrorCode code, std::string summary, ErrorDetails details)
    : DistError(code, std::move(summary), std::move(details)) {}

DistQueueEmptyError::DistQueueEmptyError(std::string summary, ErrorDetails details)
    : DistStoreError(ErrorCode::kQueueEmpty, std::move(summary), std::move(details)) {}

DistNetworkError::DistNetworkError(ErrorCode code, std::string summary, ErrorDetails details)
    : DistError(code, std::move(summary), std::move(details)) {}

absl::Status StoreStatus(ErrorCode code, std::string summary, ErrorDetails details) {
  absl::Status status(StatusCodeOf(code), summary);
  status.SetPayload(kPayloadUrl, absl::Cord(Encode({.code = code, .details = std::move(details)})));
  return status;
}

ErrorCode CodeOf(const absl::Status& status) {
  if (const std::optional<Payload> payload = PayloadOf(status)) return payload->code;
  if (const std::optional<net::NetErrorInfo> info = net::GetNetErrorInfo(status)) {
    return CodeOfNet(info->kind);
  }
  return ErrorCode::kProtocol;
}

ErrorDetails DetailsOf(const absl::Status& status) {
  if (std::optional<Payload> payload = PayloadOf(status)) return std::move(payload->details);
  if (const std::optional<net::NetErrorInfo> info = net::GetNetErrorInfo(status)) {
    return {.peer = info->address, .attempts = info->attempts, .elapsed = info->elapsed};
  }
  return {};
}

void ThrowIfError(const absl::Status& status) {
  if (status.ok()) return;
  std::string summary(status.message());
  const bool coded =
      status.GetPayload(kPayloadUrl).has_value() || net::GetNetErrorInfo(status).has_value();
  if (!coded && absl::IsInvalidArgument(status)) throw std::invalid_argument(summary);
  const ErrorCode code = CodeOf(status);
  ErrorDetails details = DetailsOf(status);
  const absl::string_view error_class = InfoOf(code).error_class;
  if (error_class == "DistQueueEmptyError") {
    throw DistQueueEmptyError(std::move(summary), std::move(details));
  }
  if (error_class == "DistNetworkError") {
    throw DistNetworkError(code, std::move(summary), std::move(details));
  }
  throw DistStoreError(code, std::move(summary), std::move(details));
}

}  // namespace rollcall
