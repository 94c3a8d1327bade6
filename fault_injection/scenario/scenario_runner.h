// A scenario run over many seeds, each run twice, judged, and its first failure kept for a look.
#ifndef ROLLCALL_FAULT_INJECTION_SCENARIO_SCENARIO_RUNNER_H_
#define ROLLCALL_FAULT_INJECTION_SCENARIO_SCENARIO_RUNNER_H_

#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "fault_injection/choice_record.h"
#include "fault_injection/scenario/fixtures.h"
#include "fault_injection/scenario/run_result.h"
#include "fault_injection/scenario/scenario.pb.h"

namespace rollcall::fault {

constexpr int kSeedsByDefault = 20;

struct SeedRange {
  uint64_t first = 1;
  uint64_t count = 0;  // 0: as many as the scenario says.
  uint64_t step = 1;   // Every so many of them: how shards share a range.
};

struct RunnerOptions {
  SeedRange seeds;
  // Each seed is run a second time, and must be the same run.
  bool runs_twice = true;
  // Stops at the first seed that fails.
  bool stops_at_failure = true;
  // Told after each seed; may be null.
  std::function<void(uint64_t done, uint64_t of)> on_progress;
};

struct SeedFailure {
  uint64_t seed = 0;
  ChoiceRecord choices;
  std::vector<std::string> failures;
};

struct RunnerReport {
  uint64_t seeds_run = 0;
  std::vector<SeedFailure> failures;
  std::set<std::string> asserted_codes;
  std::map<std::pair<std::string, std::string>, uint64_t> injected;
  absl::Duration virtual_time;  // Of all runs, the second ones left out.

  bool passed() const { return failures.empty() && seeds_run > 0; }
};

RunnerReport RunSeeds(const Scenario& scenario, const Fixtures& fixtures,
                      const RunnerOptions& options);

// One run with these choices.
RunnerReport RunReplay(const Scenario& scenario, const Fixtures& fixtures,
                       const ChoiceRecord& choices);

}  // namespace rollcall::fault

#endif  // ROLLCALL_FAULT_INJECTION_SCENARIO_SCENARIO_RUNNER_H_
