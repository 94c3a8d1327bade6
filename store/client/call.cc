#include "store/client/call.h"

#include <optional>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "net/net_error.h"
#include "store/error_code.h"

namespace rollcall::client {
namespace {

net::NetErrorKind KindOf(const absl::Status& status) {
  const std::optional<net::NetErrorInfo> info = net::GetNetErrorInfo(status);
  return info.has_value() ? info->kind : net::NetErrorKind::kUnknown;
}

}  // namespace

ErrorDetails CallDetails(const Call& call, net::Clock& clock, absl::string_view peer) {
  ErrorDetails details{.operation = std::string(call.operation)};
  if (call.key != nullptr) {
    details.keys.emplace_back(*call.key);
  } else {
    details.keys.assign(call.keys.begin(), call.keys.end());
  }
  details.peer = std::string(peer);
  details.elapsed = clock.Now() - call.started;
  return details;
}

bool IsTimeout(const absl::Status& status) {
  return KindOf(status) == net::NetErrorKind::kTimedOut;
}

bool IsHangUp(const absl::Status& status) {
  const net::NetErrorKind kind = KindOf(status);
  return kind == net::NetErrorKind::kClosedByPeer || kind == net::NetErrorKind::kReset;
}

bool IsOrderlyHangUp(const absl::Status& status) {
  return KindOf(status) == net::NetErrorKind::kClosedByPeer;
}

absl::Status GoodbyeStatus(absl::string_view code, absl::string_view text) {
  std::string words = absl::CHexEscape(text);
  if (code == ErrorCodeName(ErrorCode::kStoreFull)) {
    return StoreStatus(ErrorCode::kStoreFull, std::move(words), {});
  }
  return net::NetError(
      absl::StrCat("the server said \"", absl::CHexEscape(code), ": ", words, "\" and closed it"),
      {.kind = net::NetErrorKind::kClosedByPeer});
}

bool IsGoodbye(const absl::Status& status) { return CodeOf(status) == ErrorCode::kStoreFull; }

absl::Status CallFailed(const Call& call, net::Clock& clock, absl::string_view peer,
                        const absl::Status& why, bool changes_something, int unacknowledged) {
  ErrorCode code = CodeOf(why);
  // The user's closing of the store is told by its own status. Else we shut a connection down only
  // where another thread found it dead.
  if (KindOf(why) == net::NetErrorKind::kShutDown) code = ErrorCode::kConnectionLost;
  std::string summary;
  switch (code) {
    case ErrorCode::kReplyTimeout:
      summary = absl::StrCat("the server did not answer the ", call.operation, " within ",
                             absl::FormatDuration(call.deadline - call.started));
      break;
    case ErrorCode::kProtocol:
      summary = absl::StrCat("the reply to the ", call.operation, " is none: ", why.message());
      break;
    case ErrorCode::kClosed:
      summary = absl::StrCat(why.message(), " while the ", call.operation, " was under way");
      break;
    case ErrorCode::kStoreFull:
      // What is refused, and all behind it, changes nothing.
      summary = absl::StrCat("the server stores no more: ", why.message());
      if (changes_something)
        absl::StrAppend(&summary, "; the ", call.operation, " was not applied");
      changes_something = false;
      break;
    default:
      summary = absl::StrCat("the connection to the store was lost: ", why.message());
  }
  if (changes_something) {
    absl::StrAppend(&summary, "; the outcome of the ", call.operation,
                    " is unknown: it may or may not have been applied");
  }
  summary += UnconfirmedNote(unacknowledged);
  return StoreStatus(code, std::move(summary), CallDetails(call, clock, peer));
}

std::string UnconfirmedNote(int unacknowledged) {
  if (unacknowledged == 0) return "";
  return absl::StrCat("; ", unacknowledged,
                      unacknowledged == 1 ? " earlier write was" : " earlier writes were",
                      " not confirmed and may be lost");
}

}  // namespace rollcall::client
