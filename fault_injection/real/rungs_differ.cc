#include "fault_injection/real/rungs_differ.h"

#include <map>
#include <set>
#include <tuple>

#include "absl/strings/str_cat.h"
#include "fault_injection/scenario/host_set.h"
#include "fault_injection/scenario/judge.h"

namespace rollcall::fault {
namespace {

using StepKey = std::tuple<std::string, int, std::string>;  // Who, life, step.
using Outcomes = std::map<StepKey, const StepOutcome*>;

Outcomes ByStep(const RunResult& result) {
  Outcomes outcomes;
  for (const StepOutcome& outcome : result.outcomes) {
    outcomes[{outcome.who(), outcome.life(), outcome.step()}] = &outcome;
  }
  return outcomes;
}

bool IsLeftToChance(const Scenario& scenario, const StepOutcome& outcome) {
  for (const Expect& expect : scenario.expects()) {
    const bool speaks_of_it = NamesHost(expect.who(), outcome.who()) &&
                              (expect.step().empty() || expect.step() == outcome.step()) &&
                              (expect.life() == 0 || expect.life() == outcome.life());
    if (speaks_of_it) return expect.has_anything() || expect.fails().code_size() > 1;
  }
  return false;
}

bool IsStrangers(const Scenario& scenario, const StepOutcome& outcome) {
  for (const Stranger& stranger : scenario.strangers()) {
    if (stranger.name() == outcome.who()) return true;
  }
  return false;
}

// What is compared, as a text.
std::string Essence(const StepOutcome* outcome) {
  if (outcome == nullptr) return "it was never begun";
  if (!outcome->has_ended()) return "it never ended";
  if (outcome->ok()) return "OK";
  return absl::StrCat(outcome->error_class(), " ", outcome->code());
}

std::string Full(const StepOutcome* outcome) {
  return outcome == nullptr ? "never begun" : OutcomeText(*outcome);
}

}  // namespace

std::vector<std::string> DifferencesOf(const Scenario& scenario, const RunResult& simulated,
                                       const RunResult& real) {
  const Outcomes in_sim = ByStep(simulated);
  const Outcomes in_real = ByStep(real);
  std::set<StepKey> steps;
  for (const auto& [step, outcome] : in_sim) steps.insert(step);
  for (const auto& [step, outcome] : in_real) steps.insert(step);
  std::vector<std::string> differences;
  for (const StepKey& step : steps) {
    const auto find = [&](const Outcomes& outcomes) {
      const auto found = outcomes.find(step);
      return found == outcomes.end() ? nullptr : found->second;
    };
    const StepOutcome* const one = find(in_sim);
    const StepOutcome* const other = find(in_real);
    const StepOutcome& either = one != nullptr ? *one : *other;
    if (Essence(one) == Essence(other) || IsLeftToChance(scenario, either) ||
        IsStrangers(scenario, either)) {
      continue;
    }
    differences.push_back(absl::StrCat(either.who(), " ", either.step(), ":\n    simulated: ",
                                       Full(one), "\n    for real:  ", Full(other)));
  }
  return differences;
}

}  // namespace rollcall::fault
