#include "fault_injection/sweep/sweep.h"

#include <cstddef>
#include <iterator>
#include <utility>

#include "absl/algorithm/container.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "fault_injection/scenario/cast.h"
#include "fault_injection/scenario/judge.h"
#include "fault_injection/scenario/sim_run.h"

namespace rollcall::fault {
namespace {

constexpr uint64_t kSeed = 1;
// Second faults are drawn from so many calls that follow the first: its consequences.
constexpr size_t kCallsAfterMax = 16;
constexpr uint64_t kSecondsForEach = 4;
// Of an outcome's text: values may be long.
constexpr size_t kOutcomeBytesMax = 400;

CellKey KeyOf(const FaultSite& site, const std::string& fault) {
  return {site.operation, site.phase, std::string(site.call->name), fault};
}

using StepKey = std::pair<std::string, std::string>;  // Worker and step.

// Of the steps that have one.
std::map<StepKey, absl::Duration> TimeoutsOf(const Scenario& scenario) {
  std::map<StepKey, absl::Duration> timeouts;
  for (const WorkerRole& role : CastOf(scenario).workers) {
    for (size_t i = 0; i < role.step_names.size(); ++i) {
      const Step& step = role.group->steps(static_cast<int>(i));
      if (step.has_sleep() || step.has_close() || step.has_listen()) continue;
      timeouts[{role.host, role.step_names[i]}] =
          DurationOf(step.timeout(), DurationOf(role.group->timeout(), kWorkerTimeout));
    }
  }
  return timeouts;
}

std::string ResultOf(const StepOutcome& outcome) {
  if (!outcome.has_ended()) return "NEVER_ENDED";
  return outcome.ok() ? "OK" : outcome.code();
}

// A call that is delayed may hold its step up for so long beyond the time-out.
Observation Observe(const FaultSite& site, const RunResult& result,
                    const std::map<StepKey, absl::Duration>& timeouts, absl::Duration delays) {
  Observation seen;
  for (const StepOutcome& outcome : result.outcomes) {
    const std::string text = ResultOf(outcome);
    if (!site.step.empty() && outcome.who() == site.host && outcome.step() == site.step) {
      seen.outcomes.insert(text);
    } else if (text != "OK") {
      seen.elsewhere.insert(text);
    }
    const absl::Duration took = absl::Nanoseconds(outcome.ended_ns() - outcome.began_ns());
    const auto timeout = timeouts.find({outcome.who(), outcome.step()});
    if (timeout != timeouts.end() && took > timeout->second + delays) seen.is_late = true;
  }
  return seen;
}

// Errors that say that the time is up.
bool IsOfDeadline(absl::string_view code) {
  constexpr absl::string_view kCodes[] = {"WAIT_TIMEOUT",    "JOIN_TIMEOUT",      "BARRIER_TIMEOUT",
                                          "GATHER_TIMEOUT",  "REPLY_TIMEOUT",     "NAME_LOOKUP",
                                          "CONNECT_REFUSED", "CONNECT_NO_ANSWER", "NOT_A_STORE"};
  return absl::c_linear_search(kCodes, code);
}

// What was told of a time-out before the time was up.
std::vector<std::string> ToldTooEarly(const RunResult& result,
                                      const std::map<StepKey, absl::Duration>& timeouts) {
  std::vector<std::string> early;
  for (const StepOutcome& outcome : result.outcomes) {
    const auto timeout = timeouts.find({outcome.who(), outcome.step()});
    if (timeout == timeouts.end() || !outcome.has_ended()) continue;
    const absl::Duration took = absl::Nanoseconds(outcome.ended_ns() - outcome.began_ns());
    if (!IsOfDeadline(outcome.code()) || took >= timeout->second) continue;
    early.push_back(absl::StrCat(outcome.who(), " ", outcome.step(), " had ", outcome.code(),
                                 " after ", absl::FormatDuration(took), " of ",
                                 absl::FormatDuration(timeout->second)));
  }
  return early;
}

bool AllSucceeded(const RunResult& result) {
  for (const StepOutcome& outcome : result.outcomes) {
    if (!outcome.ok()) return false;
  }
  return true;
}

std::map<StepKey, std::string> ValuesOf(const RunResult& result) {
  std::map<StepKey, std::string> values;
  for (const StepOutcome& outcome : result.outcomes) {
    values[{outcome.who(), outcome.step()}] = outcome.value();
  }
  return values;
}

void Allow(const Cell& cell, std::set<std::string>& codes) {
  codes.insert(cell.outcomes().begin(), cell.outcomes().end());
  codes.insert(cell.elsewhere().begin(), cell.elsewhere().end());
}

// One of them, each call being as likely as any other: those that are rare are worth as much.
template <typename Item>
const Item& DrawEvenly(const std::map<Call, std::vector<Item>>& by_call, uint64_t key,
                       uint64_t draw) {
  const auto call =
      std::next(by_call.begin(), static_cast<std::ptrdiff_t>(DrawFrom(key, draw, by_call.size())));
  return call->second[DrawFrom(key + by_call.size(), ~draw, call->second.size())];
}

}  // namespace

void Sweep::AddWorkload(absl::string_view name, const Scenario& scenario) {
  Workload workload;
  workload.name = std::string(name);
  workload.scenario = &scenario;
  workload.timeouts = TimeoutsOf(scenario);
  workloads_.push_back(std::move(workload));
}

SweepReport Sweep::Run() {
  for (Workload& workload : workloads_) {
    if (!RecordHealthyRun(workload)) return std::move(report_);
  }
  for (const Workload& workload : workloads_) {
    for (const PlannedFault& fault : SingleFaults(workload.sites, limits_)) {
      RunSingle(workload, fault);
    }
  }
  for (size_t i = 0; i < workloads_.size(); ++i) RunPairs(workloads_[i], i);
  return std::move(report_);
}

bool Sweep::RecordHealthyRun(Workload& workload) {
  FaultyRun run = RunWith(workload, {});
  workload.healthy = std::move(run.result);
  workload.sites = std::move(run.sites);
  report_.calls += workload.sites.size();
  std::vector<std::string> failures;
  if (!workload.healthy.ended.ok()) failures.emplace_back(workload.healthy.ended.message());
  for (const StepOutcome& outcome : workload.healthy.outcomes) {
    if (!outcome.ok()) failures.push_back(absl::StrCat("without a fault, ", OutcomeText(outcome)));
  }
  for (const std::string& leak : workload.healthy.leaks) failures.push_back(leak);
  if (failures.empty()) return true;
  Fail(workload, {}, failures, workload.healthy);
  return false;
}

Sweep::FaultyRun Sweep::RunWith(const Workload& workload, const std::vector<PlannedFault>& faults) {
  SiteRecorder recorder(faults);
  SimRunOptions options;
  options.seed = kSeed;
  options.injector = &recorder;
  options.steps = &recorder;
  FaultyRun run;
  run.result = RunSimulated(*workload.scenario, fixtures_, options);
  run.sites = recorder.Sites();
  for (size_t i = 0; i < faults.size(); ++i) {
    run.fired_at.push_back(recorder.fired_at(i));
    if (recorder.fired_at(i) == SiteRecorder::kNotFired || faults[i].fault.errno_value == 0) {
      continue;
    }
    ++report_.injected[{std::string(faults[i].site.call->name), faults[i].name}];
  }
  for (const StepOutcome& outcome : run.result.outcomes) {
    if (!outcome.code().empty()) report_.codes.insert(outcome.code());
  }
  return run;
}

std::vector<std::string> Sweep::GeneralFailures(const Workload& workload,
                                                const RunResult& result) const {
  std::vector<std::string> failures;
  if (!result.ended.ok()) failures.emplace_back(result.ended.message());
  for (const std::string& leak : result.leaks) failures.push_back(leak);
  for (std::string& early : ToldTooEarly(result, workload.timeouts)) {
    failures.push_back(std::move(early));
  }
  if (!result.ended.ok() || !AllSucceeded(result)) return failures;
  std::map<StepKey, std::string> values = ValuesOf(result);
  for (const auto& [step, value] : ValuesOf(workload.healthy)) {
    if (values[step] == value) continue;
    failures.push_back(absl::StrCat(step.first, " ", step.second, " gave \"", values[step],
                                    "\", and \"", value, "\" without the fault"));
  }
  return failures;
}

void Sweep::Fail(const Workload& workload, const std::vector<PlannedFault>& faults,
                 const std::vector<std::string>& what, const RunResult& result) {
  std::string text = absl::StrCat(workload.name, ":");
  for (const PlannedFault& fault : faults) absl::StrAppend(&text, " [", FaultText(fault), "]");
  for (const std::string& line : what) absl::StrAppend(&text, "\n    ", line);
  for (const StepOutcome& outcome : result.outcomes) {
    absl::StrAppend(&text, "\n      ", OutcomeText(outcome).substr(0, kOutcomeBytesMax));
  }
  report_.failures.push_back(std::move(text));
}

// --- One fault ---

void Sweep::RunSingle(const Workload& workload, const PlannedFault& fault) {
  ++report_.singles;
  const FaultyRun run = RunWith(workload, {fault});
  std::vector<std::string> failures = GeneralFailures(workload, run.result);
  if (run.fired_at[0] == SiteRecorder::kNotFired) {
    failures.emplace_back("the call was not made again: the run hangs on more than its seed");
  }
  if (failures.empty()) {
    const CellKey key = KeyOf(fault.site, fault.name);
    const Observation seen = Observe(fault.site, run.result, workload.timeouts, fault.fault.delay);
    report_.seen[key].Merge(seen);
    if (const Cell* const cell = contract_.Find(key); cell != nullptr) {
      contract_.Note(key, seen);
      failures = ContractTable::Violations(*cell, seen);
    } else {
      report_.unknown[key].Merge(seen);
      if (seen.is_late) failures.emplace_back("a step took longer than its time-out");
    }
  }
  if (!failures.empty()) Fail(workload, {fault}, failures, run.result);
}

// --- Pairs ---

void Sweep::RunPairs(const Workload& workload, uint64_t number) {
  std::map<Call, std::vector<PlannedFault>> firsts;
  for (const PlannedFault& fault : SingleFaults(workload.sites, limits_)) {
    if (IsForPairs(fault.site)) firsts[fault.site.call->call].push_back(fault);
  }
  if (firsts.empty()) return;
  for (uint64_t i = 0; i * kSecondsForEach < limits_.pairs; ++i) {
    const PlannedFault& first = DrawEvenly(firsts, number, i);
    const FaultyRun run = RunWith(workload, {first});
    if (run.fired_at[0] == SiteRecorder::kNotFired) continue;  // RunSingle has said so.
    std::map<Call, std::vector<FaultSite>> after;
    size_t calls = 0;
    for (size_t at = run.fired_at[0] + 1; at < run.sites.size() && calls < kCallsAfterMax; ++at) {
      const FaultSite& site = run.sites[at];
      if (site.host != first.site.host || !IsForPairs(site)) continue;
      after[site.call->call].push_back(site);
      ++calls;
    }
    for (uint64_t j = 0; j < kSecondsForEach && !after.empty(); ++j) {
      const std::vector<PlannedFault> seconds = FaultsAt(DrawEvenly(after, i, 2 * j));
      RunPair(workload, {first, seconds[DrawFrom(i, 2 * j + 1, seconds.size())]});
    }
  }
}

void Sweep::RunPair(const Workload& workload, const std::vector<PlannedFault>& pair) {
  const FaultyRun run = RunWith(workload, pair);
  if (run.fired_at[1] == SiteRecorder::kNotFired) {
    return Fail(workload, pair, {"the second call was not made again"}, run.result);
  }
  ++report_.pairs;
  std::vector<std::string> failures = GeneralFailures(workload, run.result);
  if (!failures.empty()) return Fail(workload, pair, failures, run.result);
  JudgePair(workload, pair, run);
}

void Sweep::JudgePair(const Workload& workload, const std::vector<PlannedFault>& pair,
                      const FaultyRun& run) {
  const Cell* const first_cell = contract_.Find(KeyOf(pair[0].site, pair[0].name));
  if (first_cell == nullptr) return;  // RunSingle has said so.
  // None: a call that only the first fault brings about.
  const CellKey second = KeyOf(pair[1].site, pair[1].name);
  const Cell* const second_cell = contract_.Find(second);
  const Observation seen = Observe(pair[1].site, run.result, workload.timeouts,
                                   pair[0].fault.delay + pair[1].fault.delay);
  std::set<std::string> allowed = {"OK"};
  Allow(*first_cell, allowed);
  if (second_cell != nullptr) Allow(*second_cell, allowed);
  std::set<std::string> added;
  for (const StepOutcome& outcome : run.result.outcomes) {
    if (!allowed.contains(ResultOf(outcome))) added.insert(ResultOf(outcome));
  }
  for (const auto& [rule, may_add] : contract_.AllowedToPair(second)) {
    std::set<std::string> codes;
    absl::c_set_intersection(added, may_add, std::inserter(codes, codes.end()));
    contract_.NotePair(rule, second, codes);
    allowed.insert(may_add.begin(), may_add.end());
  }
  std::vector<std::string> failures;
  for (const std::string& code : added) {
    if (!allowed.contains(code)) failures.push_back(absl::StrCat("neither fault may bring ", code));
  }
  const bool may_be_late = !first_cell->late_because().empty() ||
                           (second_cell != nullptr && !second_cell->late_because().empty());
  if (seen.is_late && !may_be_late) {
    failures.emplace_back("a step took longer than its time-out");
  }
  if (!failures.empty()) Fail(workload, pair, failures, run.result);
}

}  // namespace rollcall::fault
