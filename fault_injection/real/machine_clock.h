// A clock that all processes of the machine read alike.
#ifndef ROLLCALL_FAULT_INJECTION_REAL_MACHINE_CLOCK_H_
#define ROLLCALL_FAULT_INJECTION_REAL_MACHINE_CLOCK_H_

#include "absl/time/time.h"

namespace rollcall::fault {

// CLOCK_MONOTONIC: since some moment that is the same for all. Thread-safe.
absl::Duration MachineNow();

}  // namespace rollcall::fault

#endif  // ROLLCALL_FAULT_INJECTION_REAL_MACHINE_CLOCK_H_
