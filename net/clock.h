// The time, as an interface.
#ifndef ROLLCALL_NET_CLOCK_H_
#define ROLLCALL_NET_CLOCK_H_

#include "absl/time/time.h"

namespace rollcall::net {

// Thread-safe.
class Clock {
 public:
  virtual ~Clock() = default;
  // Never goes backwards and is not stepped when somebody sets the wall clock: all deadlines are
  // points on this scale. It starts at the wall clock's time, so that it reads well in a log.
  virtual absl::Time Now() = 0;
};

// now + timeout, where an infinite or overflowing time-out gives InfiniteFuture().
absl::Time DeadlineAfter(Clock& clock, absl::Duration timeout);

}  // namespace rollcall::net

#endif  // ROLLCALL_NET_CLOCK_H_
