#include "tools/bench/bench_run.h"

#include <unistd.h>

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/string_view.h"
#include "tools/bench/meter.h"
#include "tools/bench/results.h"
#include "tools/bench/target.h"
#include "tools/bench/workload.h"

namespace rollcall::bench {
namespace {

absl::StatusOr<Sample> RunTrial(const Workload& workload, const Target& target, const Sizes& sizes,
                                const std::string& prefix) {
  absl::StatusOr<std::unique_ptr<Server>> server = target.start();
  if (!server.ok()) return server.status();
  // It may yet be busy with the end of the trial before.
  if (!target.starts_anew) AwaitIdle((*server)->pid());
  return workload.run({.dialog = *target.dialog,
                       .server = **server,
                       .sizes = sizes,
                       .prefix = prefix,
                       .tls = target.tls});
}

std::string Said(const Workload& workload, const Sample& sample) {
  std::string text;
  for (size_t i = 0; i < workload.metrics.size(); ++i) {
    if (!sample.values[i]) continue;
    absl::StrAppend(&text, i == 0 ? "" : ", ", workload.metrics[i].label, " ",
                    absl::StrFormat("%.4g", *sample.values[i]), " ", workload.metrics[i].unit);
  }
  return text;
}

std::vector<WorkloadResult> EmptyResults(const BenchPlan& plan) {
  std::vector<WorkloadResult> results;
  for (const Workload& workload : plan.workloads) {
    WorkloadResult result{
        .name = workload.name, .title = workload.title, .metrics = workload.metrics};
    for (const Target& target : plan.targets) {
      result.targets.push_back({.target = target.name, .plain = target.plain});
    }
    results.push_back(std::move(result));
  }
  return results;
}

using Progress = std::function<void(absl::string_view)>;

// One trial, unless there is none to be made.
void Measure(const BenchPlan& plan, int repetition, const Workload& workload, const Target& target,
             TargetResult& result, const Progress& progress) {
  const bool once = workload.needs_fresh_server && !target.starts_anew;
  if (!result.error.empty() || (once && repetition > 0)) return;
  const std::string prefix =
      absl::StrCat("/bench/", getpid(), "/", repetition, "/", workload.name, "/");
  absl::StatusOr<Sample> sample = RunTrial(workload, target, plan.sizes, prefix);
  progress(absl::StrCat(
      repetition + 1, "/", plan.warm_ups + plan.repetitions, " ", workload.name, " ", target.name,
      ": ", sample.ok() ? Said(workload, *sample) : std::string(sample.status().message())));
  if (!sample.ok()) {
    result.error = std::string(sample.status().message());
  } else if (once || repetition >= plan.warm_ups) {
    result.samples.push_back(*std::move(sample));
  }
}

}  // namespace

std::vector<WorkloadResult> RunBench(const BenchPlan& plan, const Progress& progress) {
  std::vector<WorkloadResult> results = EmptyResults(plan);
  for (int repetition = 0; repetition < plan.warm_ups + plan.repetitions; ++repetition) {
    for (size_t w = 0; w < plan.workloads.size(); ++w) {
      for (size_t t = 0; t < plan.targets.size(); ++t) {
        Measure(plan, repetition, plan.workloads[w], plan.targets[t], results[w].targets[t],
                progress);
      }
    }
  }
  return results;
}

}  // namespace rollcall::bench
