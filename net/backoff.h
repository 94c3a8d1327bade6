// How long to wait between attempts: pure numbers, no clock and no sleeping.
#ifndef ROLLCALL_NET_BACKOFF_H_
#define ROLLCALL_NET_BACKOFF_H_

#include <cstdint>

#include "absl/time/time.h"

namespace rollcall::net {

// Chosen for ranks that wait for a server of their own job: it is joined within tens of
// milliseconds of its start, and a thousand ranks that wait for minutes cost it 500 connects a
// second at most. (torch's numbers are 500 ms, 1.5, 60 s, 0.5.)
struct BackoffOptions {
  absl::Duration initial = absl::Milliseconds(20);  // > 0
  double multiplier = 1.6;                          // >= 1; 1 is a fixed back-off.
  absl::Duration max = absl::Seconds(2);            // >= initial
  // Each wait is drawn evenly from base * (1 - jitter) to base * (1 + jitter), so that ranks which
  // failed together do not come back together. In [0, 1].
  double jitter = 0.5;
};

// Not thread-safe. Numbers out of range are moved to the nearest one in range.
class Backoff {
 public:
  explicit Backoff(const BackoffOptions& options);

  // The next wait. `random_bits` decides the jitter and should be evenly distributed.
  absl::Duration Next(uint64_t random_bits);
  // Starts again from the initial wait.
  void Reset() { base_ = options_.initial; }

 private:
  BackoffOptions options_;
  absl::Duration base_;
};

}  // namespace rollcall::net

#endif  // ROLLCALL_NET_BACKOFF_H_
