#include "tools/bench/results.h"

#include <algorithm>
#include <cstddef>
#include <optional>
#include <utility>
#include <vector>

#include "tools/bench/meter.h"
#include "tools/bench/statistics.h"
#include "tools/bench/workload.h"

namespace rollcall::bench {

std::optional<Spread> SpreadOfMetric(const TargetResult& result, size_t metric) {
  std::vector<double> values;
  for (const Sample& sample : result.samples) {
    if (!sample.values[metric]) return std::nullopt;
    values.push_back(*sample.values[metric]);
  }
  if (values.empty()) return std::nullopt;
  return SpreadOf(values);
}

std::optional<double> RatioOfMetric(const WorkloadResult& workload, const TargetResult& result,
                                    size_t metric) {
  return RatioBetween(result, workload.targets.front(), metric);
}

std::optional<double> RatioBetween(const TargetResult& result, const TargetResult& base,
                                   size_t metric) {
  const std::vector<Sample>& limits = base.samples;
  std::vector<double> ratios;
  for (size_t i = 0; i < std::min(limits.size(), result.samples.size()); ++i) {
    const std::optional<double> limit = limits[i].values[metric];
    const std::optional<double> value = result.samples[i].values[metric];
    if (!limit || !value || *limit <= 0) return std::nullopt;
    ratios.push_back(*value / *limit);
  }
  if (ratios.empty()) return std::nullopt;
  return SpreadOf(std::move(ratios)).median;
}

Cost TotalCost(const TargetResult& result) {
  Cost total;
  for (const Sample& sample : result.samples) total += sample.cost;
  return total;
}

}  // namespace rollcall::bench
