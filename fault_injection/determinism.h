// The proof that a run is the same every time.
#ifndef ROLLCALL_FAULT_INJECTION_DETERMINISM_H_
#define ROLLCALL_FAULT_INJECTION_DETERMINISM_H_

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "fault_injection/world.h"

namespace rollcall::fault {

// Calls `body` twice, each time with a fresh world of these options (whose trace is not used), and
// compares all that happened until it returns. Internal if it differs; the message shows the first
// event that does, from both runs, with what came just before and after.
//
// It shows what differs from one run to the next in this process: addresses, thread_local
// leftovers, static state, real clocks. Salts that are drawn once per process need a second
// process.
absl::Status RunTwiceAndCompare(WorldOptions options, absl::FunctionRef<void(World&)> body);

}  // namespace rollcall::fault

#endif  // ROLLCALL_FAULT_INJECTION_DETERMINISM_H_
