#include "tools/bench/layer_cost.h"

#include <algorithm>
#include <cstddef>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"
#include "tools/bench/results.h"
#include "tools/bench/statistics.h"
#include "tools/bench/workload.h"

namespace rollcall::bench {
namespace {

struct Work {
  absl::string_view workload;
  absl::string_view metric;
  absl::string_view label;
};

constexpr Work kWorks[] = {
    {"join", "wall_ms", "join, all ranks"},
    {"join", "server_cpu_us", "join, server CPU a rank"},
    {"round_trips", "p50_us", "set and get, one client, p50"},
    {"depth1", "kops", "1 in flight, requests"},
    {"depth1", "server_cpu_us", "1 in flight, server CPU a request"},
    {"depth16", "kops", "16 in flight, requests"},
    {"depth16", "server_cpu_us", "16 in flight, server CPU a request"},
    {"big_value", "set_cpu_us", "set of a big value, server CPU"},
    {"big_value", "get_cpu_us", "get of a big value, server CPU"},
    {"idle_memory", "kib", "memory of an idle connection"},
};

const TargetResult* Find(const WorkloadResult& workload, absl::string_view target) {
  const auto found = std::find_if(workload.targets.begin(), workload.targets.end(),
                                  [&](const TargetResult& each) { return each.target == target; });
  return found == workload.targets.end() ? nullptr : &*found;
}

std::optional<double> MedianOf(const TargetResult& result, size_t metric) {
  const std::optional<Spread> spread = SpreadOfMetric(result, metric);
  if (!spread) return std::nullopt;
  return spread->median;
}

// A table for each server without layers, with no rows as yet. All workloads have the same targets.
std::vector<LayerCostTable> EmptyTables(const WorkloadResult& workload) {
  std::vector<LayerCostTable> tables;
  for (const TargetResult& base : workload.targets) {
    LayerCostTable table{.plain = base.target};
    for (const TargetResult& each : workload.targets) {
      if (each.plain == base.target) {
        table.layers.push_back(each.target.substr(each.plain.size() + 1));
      }
    }
    if (!table.layers.empty()) tables.push_back(std::move(table));
  }
  return tables;
}

LayerCostRow RowOf(const WorkloadResult& workload, const Work& work, size_t metric,
                   const LayerCostTable& table) {
  const TargetResult& base = *Find(workload, table.plain);
  LayerCostRow row{.work = std::string(work.label),
                   .unit = workload.metrics[metric].unit,
                   .plain = MedianOf(base, metric)};
  for (const std::string& layer : table.layers) {
    const TargetResult& result = *Find(workload, table.plain + "+" + layer);
    row.costs.push_back(
        {.median = MedianOf(result, metric), .ratio = RatioBetween(result, base, metric)});
  }
  return row;
}

}  // namespace

std::vector<LayerCostTable> LayerCostsOf(const Results& results) {
  if (results.workloads.empty()) return {};
  std::vector<LayerCostTable> tables = EmptyTables(results.workloads.front());
  for (const Work& work : kWorks) {
    for (const WorkloadResult& workload : results.workloads) {
      if (workload.name != work.workload) continue;
      for (size_t metric = 0; metric < workload.metrics.size(); ++metric) {
        if (workload.metrics[metric].key != work.metric) continue;
        for (LayerCostTable& table : tables) {
          table.rows.push_back(RowOf(workload, work, metric, table));
        }
      }
    }
  }
  tables.erase(std::remove_if(tables.begin(), tables.end(),
                              [](const LayerCostTable& table) { return table.rows.empty(); }),
               tables.end());
  return tables;
}

}  // namespace rollcall::bench
