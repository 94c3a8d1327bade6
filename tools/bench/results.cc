#include "tools/bench/results.h"

#include <cstddef>
#include <optional>
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
  const std::optional<Spread> limit = SpreadOfMetric(workload.targets.front(), metric);
  const std::optional<Spread> spread = SpreadOfMetric(result, metric);
  if (!limit || !spread || limit->median <= 0) return std::nullopt;
  return spread->median / limit->median;
}

Cost TotalCost(const TargetResult& result) {
  Cost total;
  for (const Sample& sample : result.samples) total += sample.cost;
  return total;
}

}  // namespace rollcall::bench
