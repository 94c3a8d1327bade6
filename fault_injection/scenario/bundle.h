// What a failed run leaves behind, as files.
#ifndef ROLLCALL_FAULT_INJECTION_SCENARIO_BUNDLE_H_
#define ROLLCALL_FAULT_INJECTION_SCENARIO_BUNDLE_H_

#include <map>
#include <string>

#include "absl/strings/string_view.h"
#include "fault_injection/scenario/fixtures.h"
#include "fault_injection/scenario/scenario.pb.h"
#include "fault_injection/scenario/scenario_runner.h"

namespace rollcall::fault {

struct Bundle {
  // By name: scenario.textproto, choices.txt, failures.txt, trace.txt, trace.json (for
  // ui.perfetto.dev or chrome://tracing), sequence.svg, and history.txt where there is one. The
  // same for the same failure, to the byte.
  std::map<std::string, std::string> files;
  // The picture as text, for a terminal; empty for a run that is too long for it.
  std::string ladder;
};

// Runs it once more, and writes it down. `text` is the scenario's as its author wrote it.
Bundle MakeBundle(const Scenario& scenario, absl::string_view name, absl::string_view text,
                  const Fixtures& fixtures, const SeedFailure& failure);

}  // namespace rollcall::fault

#endif  // ROLLCALL_FAULT_INJECTION_SCENARIO_BUNDLE_H_
