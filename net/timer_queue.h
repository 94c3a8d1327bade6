// Work to be done at given times, soonest first: the timers of an event loop.
#ifndef ROLLCALL_NET_TIMER_QUEUE_H_
#define ROLLCALL_NET_TIMER_QUEUE_H_

#include <cstddef>
#include <utility>

#include "absl/container/btree_map.h"
#include "absl/container/flat_hash_map.h"
#include "absl/functional/any_invocable.h"
#include "absl/time/time.h"
#include "net/event_loop.h"

namespace rollcall::net {

// Not thread-safe. Reads no clock.
class TimerQueue {
 public:
  TimerId Add(absl::Time when, absl::AnyInvocable<void()> work);

  // Forgets and destroys the work. Unknown and past timers: no effect.
  void Cancel(TimerId timer);

  // Runs what is due at `now`, in the order of (time, age). Timers that this work makes wait for
  // the next call, even when they are due already: a timer that renews itself must not hold up a
  // loop.
  void RunDue(absl::Time now);

  // InfiniteFuture() when empty.
  absl::Time NextDeadline() const;

  bool empty() const { return pending_.empty(); }

  // Destroys all work without running it.
  void Clear();

 private:
  using Key = std::pair<absl::Time, TimerId>;  // Ids grow, so they order timers of one time.

  absl::btree_map<Key, absl::AnyInvocable<void()>> pending_;
  absl::flat_hash_map<TimerId, absl::Time> times_;
  TimerId last_id_ = 0;
};

}  // namespace rollcall::net

#endif  // ROLLCALL_NET_TIMER_QUEUE_H_
