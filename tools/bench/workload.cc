#include "tools/bench/workload.h"

#include <optional>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "tools/bench/meter.h"

namespace rollcall::bench {

std::string Trial::Key(absl::string_view name) const { return absl::StrCat(prefix, name); }

std::vector<Workload> AllWorkloads(const Sizes& sizes) {
  return {IdleMemoryWorkload(sizes),    JoinWorkload(sizes),           RoundTripsWorkload(sizes),
          ThroughputWorkload(sizes, 1), ThroughputWorkload(sizes, 16), FanOutWorkload(sizes),
          BigValueWorkload(sizes),      QueueWorkload(sizes),          BarrierWorkload(sizes),
          VanishWorkload(sizes)};
}

std::optional<double> ServerMicros(const Trial& trial, const Cost& cost, double count) {
  if (trial.server.pid() == 0) return std::nullopt;
  return absl::ToDoubleMicroseconds(cost.server_cpu) / count;
}

double LoadMicros(const Cost& cost, double count) {
  return absl::ToDoubleMicroseconds(cost.load_cpu) / count;
}

}  // namespace rollcall::bench
