// Whether a run was what its scenario expects.
#ifndef ROLLCALL_FAULT_INJECTION_SCENARIO_JUDGE_H_
#define ROLLCALL_FAULT_INJECTION_SCENARIO_JUDGE_H_

#include <set>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "fault_injection/scenario/run_result.h"
#include "fault_injection/scenario/scenario.pb.h"

namespace rollcall::fault {

struct JudgeOptions {
  // How much later than `takes` and `takes_at_most` a step may end: what a loaded machine costs a
  // real run. Zero in the simulator.
  absl::Duration patience = absl::ZeroDuration();
};

struct Judgement {
  std::vector<std::string> failures;  // A line or more each; empty: all as expected.
  // The error codes that an expectation asked for and got.
  std::set<std::string> asserted_codes;
};

Judgement Judge(const Scenario& scenario, const RunResult& result, const JudgeOptions& options);

// "w1 get: WAIT_TIMEOUT after 2s: wait timeout after ...", for people.
std::string OutcomeText(const StepOutcome& outcome);

// A value as it is shown there: escaped, and of a long one its beginning.
std::string ShownValue(absl::string_view value);

}  // namespace rollcall::fault

#endif  // ROLLCALL_FAULT_INJECTION_SCENARIO_JUDGE_H_
