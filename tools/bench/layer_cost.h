// What each layer of our server costs: ratios to the same server without it, in the same run.
#ifndef ROLLCALL_TOOLS_BENCH_LAYER_COST_H_
#define ROLLCALL_TOOLS_BENCH_LAYER_COST_H_

#include <optional>
#include <string>
#include <vector>

#include "tools/bench/results.h"

namespace rollcall::bench {

struct LayerCost {
  std::optional<double> median;
  // As RatioBetween says it, to the target without the layer.
  std::optional<double> ratio;
};

struct LayerCostRow {
  std::string work;  // "join, server CPU a rank"
  std::string unit;
  std::optional<double> plain;   // The median.
  std::vector<LayerCost> costs;  // One a layer.
};

struct LayerCostTable {
  std::string plain;                // "epoll"
  std::vector<std::string> layers;  // "tls", "tls+token"
  std::vector<LayerCostRow> rows;   // Of what was measured.
};

// One for each server that was measured both with layers and without.
std::vector<LayerCostTable> LayerCostsOf(const Results& results);

}  // namespace rollcall::bench

#endif  // ROLLCALL_TOOLS_BENCH_LAYER_COST_H_
