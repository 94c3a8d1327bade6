// One call of the user's, as its errors tell it.
#ifndef ROLLCALL_STORE_CLIENT_CALL_H_
#define ROLLCALL_STORE_CLIENT_CALL_H_

#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "net/clock.h"
#include "store/dist_error.h"

namespace rollcall::client {

// Views of what the user passed: lives no longer than the call.
struct Call {
  // "get", "multi_get": what the user called, not what travels.
  absl::string_view operation;
  // One or the other, as the user named them.
  const absl::string_view* key = nullptr;
  absl::Span<const std::string> keys = {};
  // What the user allowed. The deadline may be later: see StoreClient on a time-out of zero.
  absl::Duration timeout = absl::ZeroDuration();
  absl::Time started = absl::InfinitePast();
  absl::Time deadline = absl::InfiniteFuture();
};

ErrorDetails CallDetails(const Call& call, net::Clock& clock, absl::string_view peer);

// Our own deadline passed (NetErrorKind::kTimedOut).
bool IsTimeout(const absl::Status& status);
// The server cut the connection, as it does with a request it cannot serve.
bool IsHangUp(const absl::Status& status);

// As above, in an orderly way: all that the server had to say has come.
bool IsOrderlyHangUp(const absl::Status& status);

// What the server said before it closed the connection: an error of that code, where it is one that
// a server may give; else one of a connection that was lost, in the server's words.
absl::Status GoodbyeStatus(absl::string_view code, absl::string_view text);
// It is one of the first kind.
bool IsGoodbye(const absl::Status& status);

// What the user is told when a request, or the wait for its reply, failed with `why`:
// CONNECTION_LOST, REPLY_TIMEOUT, PROTOCOL, STORE_FULL... For a request that changes something,
// that the outcome is unknown; for `unacknowledged` earlier writes, that they may be lost.
absl::Status CallFailed(const Call& call, net::Clock& clock, absl::string_view peer,
                        const absl::Status& why, bool changes_something, int unacknowledged);

// "; 2 earlier writes were not confirmed and may be lost": for an error behind which a connection
// was given up. Empty for none.
std::string UnconfirmedNote(int unacknowledged);

}  // namespace rollcall::client

#endif  // ROLLCALL_STORE_CLIENT_CALL_H_
