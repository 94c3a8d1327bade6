#include "fault_injection/scenario/sim_run.h"

#include "fault_injection/scenario/sim_stage.h"

namespace rollcall::fault {

RunResult RunSimulated(const Scenario& scenario, const Fixtures& fixtures,
                       const SimRunOptions& options) {
  return SimStage(scenario, fixtures, options).Run();
}

}  // namespace rollcall::fault
