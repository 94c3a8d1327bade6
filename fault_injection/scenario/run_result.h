// What a run of a scenario showed, on whichever rung.
#ifndef ROLLCALL_FAULT_INJECTION_SCENARIO_RUN_RESULT_H_
#define ROLLCALL_FAULT_INJECTION_SCENARIO_RUN_RESULT_H_

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "fault_injection/choice_record.h"
#include "fault_injection/history.h"
#include "fault_injection/scenario/scenario.pb.h"

namespace rollcall::fault {

struct RunResult {
  // Not OK: the run itself failed (it got stuck, took too long, an exception that no contract
  // allows), and why.
  absl::Status ended;
  std::vector<StepOutcome> outcomes;  // In the order in which the steps began.
  std::vector<uint64_t> acted;        // How often each fault of the scenario did.
  std::vector<std::string> leaks;     // What was left when everybody had gone.
  History history;                    // Empty unless the scenario is `linearizable`.
  absl::Duration elapsed;
  // By call and error ("accept4", "EMFILE"): how often it was injected.
  std::map<std::pair<std::string, std::string>, uint64_t> injected;

  // Of a simulation only.
  uint64_t fingerprint = 0;
  ChoiceRecord choices;
};

}  // namespace rollcall::fault

#endif  // ROLLCALL_FAULT_INJECTION_SCENARIO_RUN_RESULT_H_
