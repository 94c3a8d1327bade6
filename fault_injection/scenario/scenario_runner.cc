#include "fault_injection/scenario/scenario_runner.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "fault_injection/report/run_recorder.h"
#include "fault_injection/report/trace_text.h"
#include "fault_injection/scenario/judge.h"
#include "fault_injection/scenario/sim_run.h"

namespace rollcall::fault {
namespace {

constexpr size_t kLinesAround = 3;

std::vector<std::string> TraceOf(const Scenario& scenario, const Fixtures& fixtures,
                                 SimRunOptions options) {
  RunRecorder recorder(SimWorldBegin());
  options.recorder = &recorder;
  const RunResult result = RunSimulated(scenario, fixtures, options);
  return absl::StrSplit(TraceText(recorder.Finish(SimWorldBegin() + result.elapsed)), '\n');
}

// Two runs of one seed were not the same: where they part.
std::string Divergence(const Scenario& scenario, const Fixtures& fixtures,
                       const SimRunOptions& options) {
  const std::vector<std::string> first = TraceOf(scenario, fixtures, options);
  const std::vector<std::string> second = TraceOf(scenario, fixtures, options);
  const size_t common = std::min(first.size(), second.size());
  const size_t at = static_cast<size_t>(
      std::mismatch(first.begin(), first.begin() + static_cast<ptrdiff_t>(common), second.begin())
          .first -
      first.begin());
  std::string text = "two runs of this seed differ";
  if (at == common && first.size() == second.size()) {
    return absl::StrCat(text, ", though not in anything that a trace shows");
  }
  absl::StrAppend(&text, ", from line ", at + 1, " of the trace on:\n");
  for (size_t i = at - std::min(at, kLinesAround); i < at; ++i) {
    absl::StrAppend(&text, "  both    ", first[i], "\n");
  }
  for (size_t i = at; i < std::min(first.size(), at + kLinesAround); ++i) {
    absl::StrAppend(&text, "  first   ", first[i], "\n");
  }
  for (size_t i = at; i < std::min(second.size(), at + kLinesAround); ++i) {
    absl::StrAppend(&text, "  second  ", second[i], "\n");
  }
  return text;
}

void RunOne(const Scenario& scenario, const Fixtures& fixtures, const SimRunOptions& options,
            bool runs_twice, RunnerReport& report) {
  const RunResult result = RunSimulated(scenario, fixtures, options);
  Judgement judgement = Judge(scenario, result, {});
  if (runs_twice && RunSimulated(scenario, fixtures, options).fingerprint != result.fingerprint) {
    judgement.failures.push_back(Divergence(scenario, fixtures, options));
  }
  ++report.seeds_run;
  report.virtual_time += result.elapsed;
  report.asserted_codes.merge(judgement.asserted_codes);
  for (const auto& [call_and_error, times] : result.injected) {
    report.injected[call_and_error] += times;
  }
  if (judgement.failures.empty()) return;
  report.failures.push_back({options.seed, result.choices, std::move(judgement.failures)});
}

}  // namespace

RunnerReport RunSeeds(const Scenario& scenario, const Fixtures& fixtures,
                      const RunnerOptions& options) {
  RunnerReport report;
  uint64_t count = options.seeds.count;
  if (count == 0) {
    count = scenario.seeds() > 0 ? static_cast<uint64_t>(scenario.seeds()) : kSeedsByDefault;
  }
  for (uint64_t i = 0; i < count; i += options.seeds.step) {
    RunOne(scenario, fixtures, {.seed = options.seeds.first + i}, options.runs_twice, report);
    if (options.on_progress) options.on_progress(i + 1, count);
    if (!report.failures.empty() && options.stops_at_failure) break;
  }
  return report;
}

RunnerReport RunReplay(const Scenario& scenario, const Fixtures& fixtures,
                       const ChoiceRecord& choices) {
  RunnerReport report;
  RunOne(scenario, fixtures, {.replay = choices}, /*runs_twice=*/true, report);
  return report;
}

}  // namespace rollcall::fault
