// Files of workloads, read and swept.
#ifndef ROLLCALL_FAULT_INJECTION_SWEEP_SWEEP_FILES_H_
#define ROLLCALL_FAULT_INJECTION_SWEEP_SWEEP_FILES_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "fault_injection/scenario/fixtures.h"
#include "fault_injection/scenario/scenario.pb.h"
#include "fault_injection/sweep/contract_table.h"
#include "fault_injection/sweep/sweep.h"
#include "fault_injection/sweep/sweep_plan.h"

namespace rollcall::fault {

// NotFound, and what the parsers say.
absl::StatusOr<Scenario> ReadScenarioFile(const std::string& path);
absl::StatusOr<ContractTable> ReadContractFile(const std::string& path);

// "scenarios/a1_occupied_port.textproto" as "a1_occupied_port".
std::string NameOfFile(const std::string& path);

// All of them in one sweep; `contract` notes what was met. A status if a file is no scenario.
absl::StatusOr<SweepReport> SweepFiles(const std::vector<std::string>& paths,
                                       const Fixtures& fixtures, const SweepLimits& limits,
                                       ContractTable* contract);

}  // namespace rollcall::fault

#endif  // ROLLCALL_FAULT_INJECTION_SWEEP_SWEEP_FILES_H_
