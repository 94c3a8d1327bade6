// From a scenario file's text to a Scenario that makes sense.
#ifndef ROLLCALL_FAULT_INJECTION_SCENARIO_SCENARIO_TEXT_H_
#define ROLLCALL_FAULT_INJECTION_SCENARIO_SCENARIO_TEXT_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "fault_injection/scenario/scenario.pb.h"

namespace rollcall::fault {

// Takes textproto of scenario.proto's message Scenario. InvalidArgument has all that is wrong, a
// line each, with file, line and column where it is a matter of the text, and with the nearest
// known word for an unknown one. `file` is only for the message.
absl::StatusOr<Scenario> ParseScenario(absl::string_view text, absl::string_view file);

// What is wrong with a scenario that no schema can say: unknown hosts, steps and calls, durations
// that are none, errors that a call never gives, faults that contradict themselves. A line each.
std::vector<std::string> CheckScenario(const Scenario& scenario);

}  // namespace rollcall::fault

#endif  // ROLLCALL_FAULT_INJECTION_SCENARIO_SCENARIO_TEXT_H_
