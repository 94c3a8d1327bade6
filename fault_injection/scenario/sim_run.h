// A scenario in the simulator: every process of it in one world, in virtual time.
#ifndef ROLLCALL_FAULT_INJECTION_SCENARIO_SIM_RUN_H_
#define ROLLCALL_FAULT_INJECTION_SCENARIO_SIM_RUN_H_

#include <cstdint>
#include <optional>

#include "fault_injection/choice_record.h"
#include "fault_injection/fault_point.h"
#include "fault_injection/report/run_recorder.h"
#include "fault_injection/scenario/fixtures.h"
#include "fault_injection/scenario/run_result.h"
#include "fault_injection/scenario/scenario.pb.h"
#include "fault_injection/scenario/worker.h"

namespace rollcall::fault {

struct SimRunOptions {
  uint64_t seed = 1;
  // If set, the choices are these, and 0 where it says nothing; the seed is not used.
  std::optional<ChoiceRecord> replay;
  // Writes the run down if it is not null; changes nothing in it.
  RunRecorder* recorder = nullptr;
  // Asked about each system call after the scenario's own faults; may be null.
  FaultInjector* injector = nullptr;
  // Told of each step of the workers and of the server's start, once it really begins, and of its
  // end; may be null. Must not block.
  StepListener* steps = nullptr;
};

// When the world of a simulated scenario begins; what a RunRecorder for it is told.
absl::Time SimWorldBegin();

// `scenario` must have been checked (scenario_text.h). Equal arguments, equal result.
RunResult RunSimulated(const Scenario& scenario, const Fixtures& fixtures,
                       const SimRunOptions& options);

}  // namespace rollcall::fault

#endif  // ROLLCALL_FAULT_INJECTION_SCENARIO_SIM_RUN_H_
