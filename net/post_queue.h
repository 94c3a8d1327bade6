// Work handed to an event loop by other threads.
#ifndef ROLLCALL_NET_POST_QUEUE_H_
#define ROLLCALL_NET_POST_QUEUE_H_

#include <mutex>
#include <vector>

#include "absl/functional/any_invocable.h"

namespace rollcall::net {

// Its lock is held for a few instructions at a time, never across a call of anybody's code.
class PostQueue {
 public:
  // From any thread. True if the loop sleeps and nobody has been told to wake it yet: the caller
  // must.
  [[nodiscard]] bool Post(absl::AnyInvocable<void()> work);
  // The same for a mark at which RunPosted stops. A second mark before the first was reached is the
  // same mark.
  [[nodiscard]] bool PostStop();

  // The rest is for the loop's thread.

  // True: nothing is there to run, and from now on the next Post asks for a wake-up. False: do not
  // sleep.
  bool PrepareToSleep();
  // After a sleep.
  void Awake();

  // Runs what was there when it was called, in order; what that work posts is for the next call.
  // False if it came to a stop mark; what was posted after the mark stays for the next call.
  bool RunPosted();

  // Destroys what is there without running it, and what that posts.
  void Clear();

 private:
  bool Push(absl::AnyInvocable<void()> work);

  std::mutex mutex_;
  std::vector<absl::AnyInvocable<void()>> posted_;  // An empty one is the stop mark.
  bool asleep_ = false;
  bool stop_posted_ = false;

  // Empty between calls; kept for its memory, so that posting in a steady state allocates nothing.
  std::vector<absl::AnyInvocable<void()>> running_;
};

}  // namespace rollcall::net

#endif  // ROLLCALL_NET_POST_QUEUE_H_
