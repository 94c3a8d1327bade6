// What a stretch of work cost: time, CPU of both sides, and how much other processes got in
// between.
#ifndef ROLLCALL_TOOLS_BENCH_METER_H_
#define ROLLCALL_TOOLS_BENCH_METER_H_

#include <sys/types.h>

#include "absl/time/time.h"

namespace rollcall::bench {

struct Cost {
  absl::Duration wall;
  absl::Duration server_cpu;
  absl::Duration load_cpu;
  // CPU of all cores that went to neither.
  absl::Duration others_cpu;

  Cost& operator+=(const Cost& other);
};

// From its making on.
class Meter {
 public:
  // `server` 0: unknown, its CPU counts as nobody's.
  explicit Meter(pid_t server);
  Cost Read() const;

 private:
  const pid_t server_;
  const absl::Duration busy_;
  const absl::Duration server_cpu_;
  const absl::Duration load_cpu_;
  const absl::Time begin_;
};

// Which side a cost was bound by: a side that works almost all of the time.
enum class Bound { kServer, kLoad, kNeither };
Bound BoundOf(const Cost& cost);

// Waits until `server` has slept for a while (at most half a minute): whatever was sent to it has
// been looked at.
void AwaitIdle(pid_t server);

}  // namespace rollcall::bench

#endif  // ROLLCALL_TOOLS_BENCH_METER_H_
