// On which rungs a scenario can be run, fault by fault.
#ifndef ROLLCALL_FAULT_INJECTION_REAL_RUNGS_H_
#define ROLLCALL_FAULT_INJECTION_REAL_RUNGS_H_

#include <string>
#include <vector>

#include "absl/time/time.h"
#include "fault_injection/scenario/scenario.pb.h"

namespace rollcall::fault {

// A scenario that takes longer, of whichever time, is for the simulator alone.
constexpr absl::Duration kRealTimeMax = absl::Seconds(10);

// Why a scenario cannot be run there, a line for each fault, step or wish of it; empty: it can.
struct RungsReport {
  std::vector<std::string> against_sim;
  std::vector<std::string> against_real;
};

// `scenario` must have been checked. How long it takes is not looked at.
RungsReport RungsOf(const Scenario& scenario);

// Why a server that was not started by the run cannot be used, in the same manner. What such a
// server still remembers of earlier runs is not looked at.
std::vector<std::string> AgainstForeignServer(const Scenario& scenario);

}  // namespace rollcall::fault

#endif  // ROLLCALL_FAULT_INJECTION_REAL_RUNGS_H_
