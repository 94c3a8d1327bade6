// What a whole run has measured: every sample, by workload and target.
#ifndef ROLLCALL_TOOLS_BENCH_RESULTS_H_
#define ROLLCALL_TOOLS_BENCH_RESULTS_H_

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "tools/bench/meter.h"
#include "tools/bench/statistics.h"
#include "tools/bench/workload.h"

namespace rollcall::bench {

struct TargetResult {
  std::string target;
  std::string plain = {};       // As in Target.
  std::vector<Sample> samples;  // One a repetition.
  // Why there are no (more) samples; empty: nothing went wrong.
  std::string error;
};

struct WorkloadResult {
  std::string name;
  std::string title;
  std::vector<Metric> metrics;
  std::vector<TargetResult> targets;  // The first is what the others are compared with.
};

struct Results {
  int cores = 0;
  bool pinned = false;
  std::string kernel;
  std::string date;  // RFC 3339
  std::vector<WorkloadResult> workloads;
};

// Of all samples; nullopt where one lacks it, or where there are none.
std::optional<Spread> SpreadOfMetric(const TargetResult& result, size_t metric);
// To the workload's first target: the median of what each repetition alone says, since a machine
// that changes its speed between two of them tells nothing of either. nullopt where there is
// nothing to compare.
std::optional<double> RatioOfMetric(const WorkloadResult& workload, const TargetResult& result,
                                    size_t metric);
// The same, to any target of the workload.
std::optional<double> RatioBetween(const TargetResult& result, const TargetResult& base,
                                   size_t metric);
Cost TotalCost(const TargetResult& result);

std::string JsonOf(const Results& results);
std::string TableOf(const Results& results);

}  // namespace rollcall::bench

#endif  // ROLLCALL_TOOLS_BENCH_RESULTS_H_
