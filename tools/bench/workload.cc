#include "tools/bench/workload.h"

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "tools/bench/meter.h"

namespace rollcall::bench {

std::string Trial::Key(absl::string_view name) const { return absl::StrCat(prefix, name); }

std::vector<Workload> AllWorkloads(const Sizes& sizes) {
  return {IdleMemoryWorkload(sizes), JoinWorkload(sizes.ranks),    StormWorkload(sizes.ranks),
          RoundTripsWorkload(sizes), ThroughputWorkload(sizes, 1), ThroughputWorkload(sizes, 16),
          FanOutWorkload(sizes),     BigValueWorkload(sizes),      QueueWorkload(sizes),
          BarrierWorkload(sizes),    VanishWorkload(sizes)};
}

std::vector<Workload> CurveWorkloads(const Sizes& sizes, absl::string_view curve) {
  std::vector<Workload> workloads;
  const auto add = [&workloads](Workload workload, int size) {
    absl::StrAppend(&workload.name, "@", size);
    workloads.push_back(std::move(workload));
  };
  if (curve == "join_curve") {
    // A process has 20,000 descriptors on many machines.
    for (int ranks : {128, 512, 2048, 8192, 18500}) add(JoinWorkload(ranks), ranks);
  } else if (curve == "keys_curve") {
    for (int keys : {10, 100, 1000, 10'000, 100'000, 1'000'000})
      add(KeysWorkload(sizes, keys), keys);
  } else if (curve == "waiters_curve") {
    for (int keys : {0, 1000, 10'000, 100'000}) add(WaitersWorkload(sizes, keys), keys);
  }
  return workloads;
}

std::optional<double> ServerMicros(const Trial& trial, const Cost& cost, double count) {
  if (trial.server.pid() == 0) return std::nullopt;
  return absl::ToDoubleMicroseconds(cost.server_cpu) / count;
}

double LoadMicros(const Cost& cost, double count) {
  return absl::ToDoubleMicroseconds(cost.load_cpu) / count;
}

}  // namespace rollcall::bench
