#include "fault_injection/real/machine_clock.h"

#include <time.h>

namespace rollcall::fault {

absl::Duration MachineNow() {
  timespec now = {};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return absl::DurationFromTimespec(now);
}

}  // namespace rollcall::fault
