// The process's steady clock on the scale of absl::Time.
#ifndef ROLLCALL_NET_STEADY_TIME_H_
#define ROLLCALL_NET_STEADY_TIME_H_

#include <chrono>

#include "absl/time/time.h"

namespace rollcall::net {

// The wall clock's time at the first call, and the steady clock's progress since. Thread-safe.
absl::Time SteadyNow();

// The steady clock's point for `time`, rounded up and no further than a day from now: whoever waits
// for it must look at the time again when he wakes.
std::chrono::steady_clock::time_point SteadyPoint(absl::Time time);

}  // namespace rollcall::net

#endif  // ROLLCALL_NET_STEADY_TIME_H_
