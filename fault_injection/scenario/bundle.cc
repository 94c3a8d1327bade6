#include "fault_injection/scenario/bundle.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "fault_injection/choice_record.h"
#include "fault_injection/history.h"
#include "fault_injection/report/chrome_trace.h"
#include "fault_injection/report/run_record.h"
#include "fault_injection/report/run_recorder.h"
#include "fault_injection/report/sequence_svg.h"
#include "fault_injection/report/text_ladder.h"
#include "fault_injection/report/trace_text.h"
#include "fault_injection/scenario/sim_run.h"

namespace rollcall::fault {

Bundle MakeBundle(const Scenario& scenario, absl::string_view name, absl::string_view text,
                  const Fixtures& fixtures, const SeedFailure& failure) {
  RunRecorder recorder(SimWorldBegin());
  recorder.SetTitle(absl::StrCat(name, ", seed ", failure.seed));
  // The first line of it: pictures have little room.
  const std::string& first = failure.failures.front();
  recorder.SetVerdict(first.substr(0, first.find('\n')));
  SimRunOptions options;
  options.seed = failure.seed;
  options.replay = failure.choices;
  options.recorder = &recorder;
  const RunResult result = RunSimulated(scenario, fixtures, options);
  const RunRecord record = recorder.Finish(SimWorldBegin() + result.elapsed);
  Bundle bundle;
  bundle.files["scenario.textproto"] = std::string(text);
  bundle.files["choices.txt"] = ToText(failure.choices);
  bundle.files["failures.txt"] = absl::StrJoin(failure.failures, "\n") + "\n";
  bundle.files["trace.txt"] = TraceText(record);
  bundle.files["trace.json"] = ChromeTrace(record);
  bundle.files["sequence.svg"] = SequenceSvg(record);
  if (!result.history.empty()) bundle.files["history.txt"] = HistoryToText(result.history);
  bundle.ladder = TextLadder(record);
  return bundle;
}

}  // namespace rollcall::fault
