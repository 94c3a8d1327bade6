#include "fault_injection/scenario/judge.h"

#include <algorithm>

#include "absl/algorithm/container.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "fault_injection/linearize.h"
#include "fault_injection/scenario/cast.h"
#include "fault_injection/scenario/host_set.h"

namespace rollcall::fault {
namespace {

constexpr size_t kShownBytesMax = 80;

absl::Duration TimeOf(const StepOutcome& outcome) {
  return absl::Nanoseconds(outcome.ended_ns() - outcome.began_ns());
}

bool SpeaksOf(const Expect& expect, const StepOutcome& outcome) {
  return NamesHost(expect.who(), outcome.who()) &&
         (expect.step().empty() || expect.step() == outcome.step()) &&
         (expect.life() == 0 || expect.life() == outcome.life());
}

// Everything that one expectation finds wrong with one outcome.
class Comparison {
 public:
  Comparison(const Expect& expect, const StepOutcome& outcome, absl::Duration patience)
      : expect_(expect), outcome_(outcome), patience_(patience) {}

  std::vector<std::string> Compare() {
    switch (expect_.result_case()) {
      case Expect::kNeverEnds:
        if (outcome_.has_ended()) Say("should never have ended");
        return wrong_;
      case Expect::kAnything:
        return wrong_;
      case Expect::kFails:
        CompareFailure(expect_.fails());
        break;
      default:
        CompareSuccess(expect_.succeeds());
    }
    if (outcome_.has_ended()) CompareTimes();
    return wrong_;
  }

 private:
  void Say(absl::string_view what) { wrong_.push_back(std::string(what)); }

  void CompareSuccess(const Success& success) {
    if (!outcome_.has_ended()) return Say("did not end, and should have succeeded");
    if (!outcome_.ok()) return Say("should have succeeded");
    const bool asks_for_value = !success.value().empty() || success.value_is_empty();
    if (asks_for_value && success.value() != outcome_.value()) {
      Say(absl::StrCat("should have given \"", ShownValue(success.value()), "\""));
    }
  }

  void CompareFailure(const Failure& failure) {
    const std::string codes = absl::StrJoin(failure.code(), " or ");
    if (!outcome_.has_ended()) return Say(absl::StrCat("did not end; ", codes, " was expected"));
    if (!absl::c_linear_search(failure.code(), outcome_.code())) {
      return Say(absl::StrCat("should have failed with ", codes));
    }
    for (const std::string& text : failure.says()) {
      if (!absl::StrContains(outcome_.text(), text)) {
        Say(absl::StrCat("should say \"", text, "\""));
      }
    }
    if (!failure.missing_ranks().empty() &&
        !absl::c_equal(failure.missing_ranks(), outcome_.missing_ranks())) {
      Say(absl::StrCat("should name the missing ranks ",
                       absl::StrJoin(failure.missing_ranks(), ", "), "; it names ",
                       absl::StrJoin(outcome_.missing_ranks(), ", ")));
    }
    if (!failure.missing_keys().empty() &&
        !absl::c_equal(failure.missing_keys(), outcome_.missing_keys())) {
      Say(absl::StrCat("should name the missing keys ", absl::StrJoin(failure.missing_keys(), ", "),
                       "; it names ", absl::StrJoin(outcome_.missing_keys(), ", ")));
    }
    if (failure.outcome_unknown() && !absl::StrContains(outcome_.text(), "unknown")) {
      Say("should say that the outcome is unknown");
    }
  }

  void CompareTimes() {
    const absl::Duration took = TimeOf(outcome_);
    const absl::Duration at_least =
        DurationOf(expect_.takes_at_least(), DurationOf(expect_.takes(), absl::ZeroDuration()));
    const absl::Duration at_most =
        DurationOf(expect_.takes_at_most(), DurationOf(expect_.takes(), absl::InfiniteDuration()));
    if (took < at_least) {
      Say(absl::StrCat("should have taken ", absl::FormatDuration(at_least), " or more"));
    }
    if (took > at_most + patience_) {
      Say(absl::StrCat("should have taken ", absl::FormatDuration(at_most), " at most"));
    }
  }

  const Expect& expect_;
  const StepOutcome& outcome_;
  const absl::Duration patience_;
  std::vector<std::string> wrong_;
};

void JudgeOutcomes(const Scenario& scenario, const RunResult& result, absl::Duration patience,
                   Judgement& judgement) {
  std::vector<bool> matched(static_cast<size_t>(scenario.expects_size()), false);
  Expect by_default;
  by_default.mutable_succeeds();
  for (const StepOutcome& outcome : result.outcomes) {
    const auto found = absl::c_find_if(
        scenario.expects(), [&](const Expect& expect) { return SpeaksOf(expect, outcome); });
    const bool is_by_default = found == scenario.expects().end();
    if (!is_by_default) matched[found - scenario.expects().begin()] = true;
    const Expect& expect = is_by_default ? by_default : *found;
    for (const std::string& wrong : Comparison(expect, outcome, patience).Compare()) {
      judgement.failures.push_back(absl::StrCat(OutcomeText(outcome), "\n    ", wrong));
    }
    if (!outcome.code().empty() && absl::c_linear_search(expect.fails().code(), outcome.code())) {
      judgement.asserted_codes.insert(outcome.code());
    }
  }
  for (int i = 0; i < scenario.expects_size(); ++i) {
    if (matched[i]) continue;
    const Expect& expect = scenario.expects(i);
    judgement.failures.push_back(absl::StrCat("nothing happened that expectation ", i + 1, " (",
                                              expect.who(), " ", expect.step(), ") speaks of"));
  }
}

void JudgeFaults(const Scenario& scenario, const RunResult& result, Judgement& judgement) {
  for (int i = 0; i < scenario.faults_size(); ++i) {
    if (result.acted[i] > 0 || scenario.faults(i).may_miss()) continue;
    judgement.failures.push_back(absl::StrCat(NameOf(scenario, i), " never acted"));
  }
}

void JudgeHistory(const Scenario& scenario, const RunResult& result, Judgement& judgement) {
  if (!scenario.linearizable()) return;
  const LinearizeResult check = CheckLinearizable(result.history);
  if (check.verdict == Verdict::kLinearizable) return;
  judgement.failures.push_back(
      check.verdict == Verdict::kBudgetSpent
          ? absl::StrCat("no order of its ", result.history.size(),
                         " operations was found within the budget, and no proof that there is none")
          : absl::StrCat("the history is not linearizable:\n", check.explanation));
}

}  // namespace

Judgement Judge(const Scenario& scenario, const RunResult& result, const JudgeOptions& options) {
  Judgement judgement;
  if (!result.ended.ok()) judgement.failures.push_back(std::string(result.ended.message()));
  JudgeOutcomes(scenario, result, options.patience, judgement);
  JudgeFaults(scenario, result, judgement);
  for (const std::string& leak : result.leaks) judgement.failures.push_back(leak);
  JudgeHistory(scenario, result, judgement);
  return judgement;
}

std::string OutcomeText(const StepOutcome& outcome) {
  std::string text = absl::StrCat(outcome.who(), " ", outcome.step());
  if (outcome.life() > 1) absl::StrAppend(&text, " (life ", outcome.life(), ")");
  if (!outcome.has_ended()) {
    return absl::StrCat(text, ": never ended, began at +",
                        absl::FormatDuration(absl::Nanoseconds(outcome.began_ns())));
  }
  absl::StrAppend(&text, ": ", outcome.ok() ? "OK" : outcome.code(), " after ",
                  absl::FormatDuration(TimeOf(outcome)));
  if (!outcome.ok()) absl::StrAppend(&text, ": ", outcome.text());
  if (!outcome.value().empty()) absl::StrAppend(&text, ": ", ShownValue(outcome.value()));
  return text;
}

std::string ShownValue(absl::string_view value) {
  if (value.size() <= kShownBytesMax) return absl::Utf8SafeCHexEscape(value);
  return absl::StrCat(absl::Utf8SafeCHexEscape(value.substr(0, kShownBytesMax)), "... (",
                      value.size(), " bytes)");
}

}  // namespace rollcall::fault
