// fault_run's other rung: a scenario's file run with real processes.
#ifndef ROLLCALL_TOOLS_FAULT_RUN_REAL_H_
#define ROLLCALL_TOOLS_FAULT_RUN_REAL_H_

#include <string>

#include "absl/status/statusor.h"
#include "fault_injection/real/real_run.h"
#include "fault_injection/scenario/scenario.pb.h"

namespace rollcall::tools {

// Runs and judges it, and prints what came of it under `name`. Whether it passed; the errors of
// RunReal.
absl::StatusOr<bool> RunFileForReal(const fault::Scenario& scenario, const std::string& name,
                                    const fault::RealRunOptions& options);

// The fault_process that lies beside this very program.
std::string DefaultProcessPath();

}  // namespace rollcall::tools

#endif  // ROLLCALL_TOOLS_FAULT_RUN_REAL_H_
