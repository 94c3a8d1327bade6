#include <cmath>
#include <cstddef>
#include <cstdio>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "tools/bench/layer_cost.h"
#include "tools/bench/meter.h"
#include "tools/bench/results.h"
#include "tools/bench/statistics.h"
#include "tools/bench/workload.h"

namespace rollcall::bench {
namespace {

std::string Text(absl::string_view text) {
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      absl::StrAppend(&quoted, "\\", std::string(1, c));
    } else if (static_cast<unsigned char>(c) < 0x20) {
      absl::StrAppend(&quoted, absl::StrFormat("\\u%04x", static_cast<unsigned>(c)));
    } else {
      quoted.push_back(c);
    }
  }
  return quoted + "\"";
}

std::string Number(double value) {
  return std::isfinite(value) ? absl::StrFormat("%.6g", value) : "null";
}

std::string Number(const std::optional<double>& value) {
  return value ? Number(*value) : std::string("null");
}

std::string Values(const WorkloadResult& workload, const TargetResult& result, size_t metric) {
  std::vector<std::string> samples;
  for (const Sample& sample : result.samples) samples.push_back(Number(sample.values[metric]));
  const std::optional<Spread> spread = SpreadOfMetric(result, metric);
  return absl::StrCat(Text(workload.metrics[metric].key),
                      ": {\"median\": ", spread ? Number(spread->median) : "null",
                      ", \"ratio\": ", Number(RatioOfMetric(workload, result, metric)),
                      ", \"samples\": [", absl::StrJoin(samples, ", "), "]}");
}

std::string TargetJson(const WorkloadResult& workload, const TargetResult& result) {
  std::vector<std::string> values;
  for (size_t metric = 0; metric < workload.metrics.size(); ++metric) {
    values.push_back(Values(workload, result, metric));
  }
  const Cost cost = TotalCost(result);
  return absl::StrCat(
      "        {\"target\": ", Text(result.target), ", \"error\": ", Text(result.error),
      ",\n         \"wall_s\": ", Number(absl::ToDoubleSeconds(cost.wall)),
      ", \"server_cpu_s\": ", Number(absl::ToDoubleSeconds(cost.server_cpu)),
      ", \"load_cpu_s\": ", Number(absl::ToDoubleSeconds(cost.load_cpu)),
      ", \"others_cpu_s\": ", Number(absl::ToDoubleSeconds(cost.others_cpu)),
      ",\n         \"metrics\": {", absl::StrJoin(values, ",\n                     "), "}}");
}

std::string MetricJson(const Metric& metric) {
  return absl::StrCat("{\"key\": ", Text(metric.key), ", \"label\": ", Text(metric.label),
                      ", \"unit\": ", Text(metric.unit), ", \"better\": ",
                      metric.better == Better::kLower ? "\"lower\"" : "\"higher\"", "}");
}

std::string WorkloadJson(const WorkloadResult& workload) {
  std::vector<std::string> metrics;
  for (const Metric& metric : workload.metrics) metrics.push_back(MetricJson(metric));
  std::vector<std::string> targets;
  for (const TargetResult& result : workload.targets) {
    targets.push_back(TargetJson(workload, result));
  }
  return absl::StrCat("    {\"name\": ", Text(workload.name), ", \"title\": ", Text(workload.title),
                      ",\n     \"metrics\": [", absl::StrJoin(metrics, ",\n                 "),
                      "],\n     \"targets\": [\n", absl::StrJoin(targets, ",\n"), "]}");
}

std::string LayerRowJson(const LayerCostRow& row) {
  std::vector<std::string> costs;
  for (const LayerCost& cost : row.costs) {
    costs.push_back(absl::StrCat("{\"ratio\": ", Number(cost.ratio),
                                 ", \"median\": ", Number(cost.median), "}"));
  }
  return absl::StrCat("      {\"work\": ", Text(row.work), ", \"unit\": ", Text(row.unit),
                      ", \"plain\": ", Number(row.plain), ", \"costs\": [",
                      absl::StrJoin(costs, ", "), "]}");
}

std::string LayerTableJson(const LayerCostTable& table) {
  std::vector<std::string> layers;
  for (const std::string& layer : table.layers) layers.push_back(Text(layer));
  std::vector<std::string> rows;
  for (const LayerCostRow& row : table.rows) rows.push_back(LayerRowJson(row));
  return absl::StrCat("    {\"plain\": ", Text(table.plain), ", \"layers\": [",
                      absl::StrJoin(layers, ", "), "],\n     \"rows\": [\n",
                      absl::StrJoin(rows, ",\n"), "]}");
}

}  // namespace

std::string JsonOf(const Results& results) {
  std::vector<std::string> workloads;
  for (const WorkloadResult& workload : results.workloads) {
    workloads.push_back(WorkloadJson(workload));
  }
  std::vector<std::string> layers;
  for (const LayerCostTable& table : LayerCostsOf(results)) {
    layers.push_back(LayerTableJson(table));
  }
  return absl::StrCat("{\"date\": ", Text(results.date), ", \"kernel\": ", Text(results.kernel),
                      ", \"cores\": ", results.cores,
                      ", \"pinned\": ", results.pinned ? "true" : "false", ",\n  \"layers\": [\n",
                      absl::StrJoin(layers, ",\n"), "],\n  \"workloads\": [\n",
                      absl::StrJoin(workloads, ",\n"), "]}\n");
}

}  // namespace rollcall::bench
