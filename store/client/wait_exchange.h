// A wait on the server, from the request to its one-byte answer, a time-out, or being asked to
// leave.
#ifndef ROLLCALL_STORE_CLIENT_WAIT_EXCHANGE_H_
#define ROLLCALL_STORE_CLIENT_WAIT_EXCHANGE_H_

#include <cstddef>
#include <functional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "net/clock.h"
#include "store/client/channel.h"

namespace rollcall::client {

// On a channel that other threads want too: they may send one CANCEL_WAIT (SendFromOutside) between
// Open and Close, to have the channel at once.
class WaitGate {
 public:
  virtual ~WaitGate() = default;
  virtual void Open() = 0;
  // True if somebody did.
  virtual bool Close() = 0;
};

struct WaitPlan {
  std::string request = {};  // WAIT or BARRIER.
  // A GET of the key that `request` waits for, to be sent ahead of it, in one piece. A value that
  // it finds is the result at once; an empty one may mean that the key is not there. Empty: none.
  // Only for a channel that answers_get_of_missing_key().
  std::string get = {};
  absl::Time deadline = absl::InfiniteFuture();
  // CANCEL_WAIT. Empty in a dialect that has none: a wait that timed out breaks the channel.
  std::string cancel = {};

  // Sent at `census_at` so that a time-out can say which keys are missing and still come at the
  // deadline: CANCEL_WAIT, what `checks` gives, which is one CHECK for each of `census_keys` keys,
  // and the WAIT again. Null: no census. Not called before, because most waits never come so far.
  std::function<std::string()> checks = {};
  size_t census_keys = 0;
  absl::Time census_at = absl::InfiniteFuture();
};

enum class WaitOutcome {
  kReleased,
  kTimedOut,   // At the deadline exactly.
  kPreempted,  // Somebody else needs the channel. Nothing waits on it any more.
};

struct WaitResult {
  WaitOutcome outcome = WaitOutcome::kReleased;
  // By key: missing at census_at. Empty where no census was taken.
  std::vector<bool> missing;
  // What `get` found. Empty: nothing, or before the key came, or an empty value.
  std::string value;
};

// Whatever the outcome, the channel is in step and free afterwards, unless it was in_step() false.
// An error is the channel's. `gate` may be nullptr.
absl::StatusOr<WaitResult> RunWait(net::Clock& clock, Channel& channel, const WaitPlan& plan,
                                   WaitGate* gate);

}  // namespace rollcall::client

#endif  // ROLLCALL_STORE_CLIENT_WAIT_EXCHANGE_H_
