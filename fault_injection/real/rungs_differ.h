// What the ranks of a scenario saw on one rung and not on the other.
#ifndef ROLLCALL_FAULT_INJECTION_REAL_RUNGS_DIFFER_H_
#define ROLLCALL_FAULT_INJECTION_REAL_RUNGS_DIFFER_H_

#include <string>
#include <vector>

#include "fault_injection/scenario/run_result.h"
#include "fault_injection/scenario/scenario.pb.h"

namespace rollcall::fault {

// Compared are, for each step of each life of each worker and of the server: whether it came to
// pass, whether it ended, whether it succeeded, and the class and code of its error. A step of
// which the scenario expects anything, or one of several codes, may differ: chance decides there.
// A line or more for each difference, with both sides.
std::vector<std::string> DifferencesOf(const Scenario& scenario, const RunResult& simulated,
                                       const RunResult& real);

}  // namespace rollcall::fault

#endif  // ROLLCALL_FAULT_INJECTION_REAL_RUNGS_DIFFER_H_
