// What tests of the world say again and again.
#ifndef ROLLCALL_FAULT_INJECTION_WORLD_FIXTURE_H_
#define ROLLCALL_FAULT_INJECTION_WORLD_FIXTURE_H_

#include <cstdint>

#include "absl/time/time.h"
#include "fault_injection/world.h"

namespace rollcall::fault {

inline WorldOptions Fifo() { return {.policy = SchedulePolicy::kFifo}; }
inline WorldOptions Seed(uint64_t seed) { return {.seed = seed}; }

inline void Sleep(World& world, absl::Duration duration) {
  const absl::Time until = world.Now() + duration;
  while (world.Now() < until) world.Block(until, "a sleep");
}

}  // namespace rollcall::fault

#endif  // ROLLCALL_FAULT_INJECTION_WORLD_FIXTURE_H_
