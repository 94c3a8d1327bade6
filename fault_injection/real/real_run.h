// A scenario run for real: its server, workers and strangers are processes of this machine, and
// between them is a fault proxy.
#ifndef ROLLCALL_FAULT_INJECTION_REAL_REAL_RUN_H_
#define ROLLCALL_FAULT_INJECTION_REAL_REAL_RUN_H_

#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "fault_injection/scenario/run_result.h"
#include "fault_injection/scenario/scenario.pb.h"
#include "net/address.h"

namespace rollcall::fault {

struct RealRunOptions {
  // The scenario's file, which the processes read.
  std::string scenario_path;
  // //tools:fault_process, or one with steps of the user's own.
  std::string process_path;
  // A server that runs already and is not ours: none is started then.
  std::optional<net::Endpoint> server;
};

// How much later than a scenario says its steps may end: processes start, share cores, and learn
// of each other through a proxy.
constexpr absl::Duration kRealPatience = absl::Milliseconds(400);

// Runs `scenario`, which must have been checked, and returns when all of its processes are gone.
// Leaks are not looked for: nobody sees a process's descriptors once it has ended. InvalidArgument
// where it cannot be run so (rungs.h), with the reasons, a line each; ResourceExhausted, NotFound
// and Unavailable where processes or ports are not to be had.
absl::StatusOr<RunResult> RunReal(const Scenario& scenario, const RealRunOptions& options);

}  // namespace rollcall::fault

#endif  // ROLLCALL_FAULT_INJECTION_REAL_REAL_RUN_H_
