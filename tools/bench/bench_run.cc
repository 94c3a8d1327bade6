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
  return workload.run(
      {.dialog = *target.dialog, .server = **server, .sizes = sizes, .prefix = prefix});
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
    for (const Target& target : plan.targets) result.targets.push_back({.target = target.name});
    results.push_back(std::move(result));
  }
  return results;
}

}  // namespace

std::vector<WorkloadResult> RunBench(const BenchPlan& plan,
                                     const std::function<void(absl::string_view)>& progress) {
  std::vector<WorkloadResult> results = EmptyResults(plan);
  const int repetitions = plan.warm_ups + plan.repetitions;
  for (int repetition = 0; repetition < repetitions; ++repetition) {
    for (size_t w = 0; w < plan.workloads.size(); ++w) {
      for (size_t t = 0; t < plan.targets.size(); ++t) {
        TargetResult& result = results[w].targets[t];
        if (!result.error.empty()) continue;
        const std::string prefix =
            absl::StrCat("/bench/", getpid(), "/", repetition, "/", plan.workloads[w].name, "/");
        absl::StatusOr<Sample> sample =
            RunTrial(plan.workloads[w], plan.targets[t], plan.sizes, prefix);
        progress(absl::StrCat(repetition + 1, "/", repetitions, " ", plan.workloads[w].name, " ",
                              plan.targets[t].name, ": ",
                              sample.ok() ? Said(plan.workloads[w], *sample)
                                          : std::string(sample.status().message())));
        if (!sample.ok()) {
          result.error = std::string(sample.status().message());
        } else if (repetition >= plan.warm_ups) {
          result.samples.push_back(*std::move(sample));
        }
      }
    }
  }
  return results;
}

}  // namespace rollcall::bench
