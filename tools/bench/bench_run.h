// One run over all workloads and targets, interleaved.
#ifndef ROLLCALL_TOOLS_BENCH_BENCH_RUN_H_
#define ROLLCALL_TOOLS_BENCH_BENCH_RUN_H_

#include <functional>
#include <vector>

#include "absl/strings/string_view.h"
#include "tools/bench/results.h"
#include "tools/bench/target.h"
#include "tools/bench/workload.h"

namespace rollcall::bench {

struct BenchPlan {
  std::vector<Target> targets;  // The first is the limit.
  std::vector<Workload> workloads;
  Sizes sizes;
  int warm_ups = 1;  // Repetitions that are not counted.
  int repetitions = 5;
};

// Goes round by repetition, then workload, then target, so that whatever disturbs the machine for a
// while falls on all of them. A target that fails in a workload is left out of that one from then
// on. Every server runs only while it is measured, except for those that were there before.
// `progress` gets a line for each trial.
std::vector<WorkloadResult> RunBench(const BenchPlan& plan,
                                     const std::function<void(absl::string_view)>& progress);

}  // namespace rollcall::bench

#endif  // ROLLCALL_TOOLS_BENCH_BENCH_RUN_H_
