#include "fault_injection/real/real_run.h"

#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_join.h"
#include "fault_injection/real/real_stage.h"
#include "fault_injection/real/rungs.h"

namespace rollcall::fault {

absl::StatusOr<RunResult> RunReal(const Scenario& scenario, const RealRunOptions& options) {
  std::vector<std::string> reasons = RungsOf(scenario).against_real;
  if (options.server.has_value()) {
    for (std::string& reason : AgainstForeignServer(scenario)) reasons.push_back(std::move(reason));
  }
  if (!reasons.empty()) return absl::InvalidArgumentError(absl::StrJoin(reasons, "\n"));
  return RealStage(scenario, options).Run();
}

}  // namespace rollcall::fault
