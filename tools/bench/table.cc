#include <algorithm>
#include <cmath>
#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "tools/bench/layer_cost.h"
#include "tools/bench/meter.h"
#include "tools/bench/results.h"
#include "tools/bench/statistics.h"
#include "tools/bench/workload.h"

namespace rollcall::bench {
namespace {

using Row = std::vector<std::string>;

constexpr absl::string_view kNothing = "-";
constexpr size_t kNameWidth = 15;
// Of the table of layers.
constexpr int kWorkWidth = 42;
constexpr int kFigureWidth = 9;
constexpr int kCostWidth = 16;

// Three digits that matter.
std::string Figure(double value) {
  const double size = std::abs(value);
  if (size >= 100) return absl::StrFormat("%.0f", value);
  return size >= 10 ? absl::StrFormat("%.1f", value) : absl::StrFormat("%.2f", value);
}

std::string FigureOrNothing(const std::optional<double>& value) {
  return value ? Figure(*value) : std::string(kNothing);
}

std::string Percent(absl::Duration part, absl::Duration whole) {
  return absl::StrFormat("%.0f%%", 100 * absl::FDivDuration(part, whole));
}

absl::string_view BoundName(Bound bound) {
  if (bound == Bound::kServer) return "server";
  return bound == Bound::kLoad ? "load" : "neither";
}

Row RowOf(const WorkloadResult& workload, const TargetResult& result, int cores) {
  Row row = {result.target};
  for (size_t metric = 0; metric < workload.metrics.size(); ++metric) {
    const std::optional<Spread> spread = SpreadOfMetric(result, metric);
    if (!spread) {
      row.insert(row.end(), {std::string(kNothing), "", ""});
      continue;
    }
    const std::optional<double> ratio = RatioOfMetric(workload, result, metric);
    row.push_back(Figure(spread->median));
    row.push_back(ratio ? absl::StrFormat("x%.2f", *ratio) : "");
    row.push_back(absl::StrCat("(", Figure(spread->lowest), "..", Figure(spread->highest), ")"));
  }
  if (result.samples.empty()) return row;
  const Cost cost = TotalCost(result);
  row.push_back(
      absl::StrCat(Percent(cost.server_cpu, cost.wall), " / ", Percent(cost.load_cpu, cost.wall)));
  row.push_back(std::string(BoundName(BoundOf(cost))));
  row.push_back(Percent(cost.others_cpu, cost.wall * cores));
  return row;
}

Row HeaderOf(const WorkloadResult& workload) {
  Row row = {""};
  for (const Metric& metric : workload.metrics) {
    row.insert(row.end(), {absl::StrCat(metric.label, ", ", metric.unit), "", ""});
  }
  row.insert(row.end(), {"busy: server / load", "bound by", "others"});
  return row;
}

// A header cell may stand over the three columns of its metric.
std::string Aligned(const std::vector<Row>& rows, size_t metrics) {
  std::vector<size_t> widths(1 + 3 * metrics + 3, 0);
  for (const Row& row : rows) {
    for (size_t i = 0; i < row.size(); ++i) {
      const bool spans = &row == &rows.front() && i >= 1 && i <= 3 * metrics;
      if (!spans) widths[i] = std::max(widths[i], row[i].size());
    }
  }
  for (size_t i = 1; i <= 3 * metrics; i += 3) {
    const size_t width = widths[i] + widths[i + 1] + widths[i + 2] + 2;
    if (rows.front()[i].size() > width) widths[i + 2] += rows.front()[i].size() - width;
  }
  std::string text;
  for (const Row& row : rows) {
    const bool header = &row == &rows.front();
    std::string line;
    for (size_t i = 0; i < row.size(); ++i) {
      const bool spans = header && i >= 1 && i <= 3 * metrics;
      if (spans && i % 3 != 1) continue;
      const size_t width = spans ? widths[i] + widths[i + 1] + widths[i + 2] + 2 : widths[i];
      const bool right = !header && i >= 1 && i <= 3 * metrics && i % 3 == 1;
      const std::string space(width - row[i].size(), ' ');
      const absl::string_view gap = i == 0 ? "" : (i % 3 == 1 || i > 3 * metrics ? "   " : " ");
      absl::StrAppend(&line, gap, right ? space : "", row[i], right ? "" : space);
    }
    line.erase(line.find_last_not_of(' ') + 1);
    absl::StrAppend(&text, line, "\n");
  }
  return text;
}

// "join@128" -> "join"; empty for a workload that is part of no curve.
absl::string_view CurveOf(const WorkloadResult& workload) {
  const size_t at = workload.name.find('@');
  return at == std::string::npos ? "" : absl::string_view(workload.name).substr(0, at);
}

// A row a target, a column a size, the last one how much dearer the largest is than the smallest.
std::string CurveTable(absl::Span<const WorkloadResult> points) {
  const std::vector<Metric>& metrics = points.front().metrics;
  const auto metric = static_cast<size_t>(
      std::find_if(metrics.begin(), metrics.end(),
                   [](const Metric& each) { return each.key == "server_cpu_us"; }) -
      metrics.begin());
  std::string text = absl::StrCat(points.front().title, " and more: ", metrics[metric].label, ", ",
                                  metrics[metric].unit, "\n", std::string(kNameWidth, ' '));
  for (const WorkloadResult& point : points) {
    absl::StrAppend(&text, absl::StrFormat("%9s", point.name.substr(point.name.find('@') + 1)));
  }
  absl::StrAppend(&text, "   last/first\n");
  for (size_t target = 0; target < points.front().targets.size(); ++target) {
    absl::StrAppend(&text, absl::StrFormat("%-*s", static_cast<int>(kNameWidth),
                                           points.front().targets[target].target));
    std::vector<std::optional<Spread>> spreads;
    for (const WorkloadResult& point : points) {
      spreads.push_back(SpreadOfMetric(point.targets[target], metric));
      absl::StrAppend(&text, absl::StrFormat("%9s", spreads.back() ? Figure(spreads.back()->median)
                                                                   : std::string(kNothing)));
    }
    if (spreads.front() && spreads.back() && spreads.front()->median > 0) {
      absl::StrAppend(
          &text, absl::StrFormat("   x%.2f", spreads.back()->median / spreads.front()->median));
    }
    absl::StrAppend(&text, "\n");
  }
  return text + "\n";
}

std::string WorkloadTable(const WorkloadResult& workload, int cores) {
  std::vector<Row> rows = {HeaderOf(workload)};
  std::string notes;
  for (const TargetResult& result : workload.targets) {
    rows.push_back(RowOf(workload, result, cores));
    if (!result.error.empty()) {
      absl::StrAppend(&notes, "  ", result.target, ": ", result.error, "\n");
    }
  }
  return absl::StrCat(workload.title, "\n", Aligned(rows, workload.metrics.size()), notes, "\n");
}

std::string LayerTable(const LayerCostTable& table) {
  std::string text =
      absl::StrCat("what a layer costs, as a ratio to ", table.plain, " without it\n",
                   std::string(kWorkWidth, ' '), absl::StrFormat("%*s", kFigureWidth, table.plain));
  for (const std::string& layer : table.layers) {
    absl::StrAppend(&text, absl::StrFormat("%*s", kCostWidth, layer));
  }
  absl::StrAppend(&text, "\n");
  for (const LayerCostRow& row : table.rows) {
    absl::StrAppend(&text, absl::StrFormat("%-*s%*s", kWorkWidth, row.work + ", " + row.unit,
                                           kFigureWidth, FigureOrNothing(row.plain)));
    for (const LayerCost& cost : row.costs) {
      const std::string ratio = cost.ratio ? absl::StrFormat("x%.2f ", *cost.ratio) : "";
      absl::StrAppend(&text,
                      absl::StrFormat("%*s", kCostWidth, ratio + FigureOrNothing(cost.median)));
    }
    absl::StrAppend(&text, "\n");
  }
  return text + "\n";
}

}  // namespace

std::string TableOf(const Results& results) {
  std::string text;
  const absl::Span<const WorkloadResult> all = results.workloads;
  for (size_t begin = 0; begin < all.size();) {
    const absl::string_view curve = CurveOf(all[begin]);
    size_t end = begin + 1;
    while (!curve.empty() && end < all.size() && CurveOf(all[end]) == curve) ++end;
    absl::StrAppend(&text, curve.empty() ? WorkloadTable(all[begin], results.cores)
                                         : CurveTable(all.subspan(begin, end - begin)));
    begin = end;
  }
  for (const LayerCostTable& table : LayerCostsOf(results)) text += LayerTable(table);
  return text;
}

}  // namespace rollcall::bench
