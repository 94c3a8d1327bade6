#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "tools/bench/load.h"
#include "tools/bench/meter.h"
#include "tools/bench/usage.h"
#include "tools/bench/workload.h"

namespace rollcall::bench {
namespace {

absl::StatusOr<Sample> RunStorm(const Trial& trial, int clients) {
  Load load(&trial.dialog, trial.access(), clients);
  const std::string counters = ReadProcFile("/proc/net/netstat");
  const Meter meter(trial.server.pid());
  if (absl::Status greeted = load.ConnectAll(clients); !greeted.ok()) return greeted;
  const Cost cost = meter.Read();
  const std::optional<int64_t> before = ParseSynRetries(counters);
  const std::optional<int64_t> after = ParseSynRetries(ReadProcFile("/proc/net/netstat"));
  Sample sample{.cost = cost};
  sample.values = {absl::ToDoubleMilliseconds(cost.wall), ServerMicros(trial, cost, clients),
                   LoadMicros(cost, clients), std::nullopt};
  if (before && after) sample.values[3] = static_cast<double>(*after - *before);
  return sample;
}

}  // namespace

Workload StormWorkload(int clients) {
  return {.name = "storm",
          .title = absl::StrCat(clients, " clients connect at once and greet"),
          .metrics = {{"wall_ms", "wall", "ms"},
                      {"server_cpu_us", "server CPU/client", "us"},
                      {"load_cpu_us", "load CPU/client", "us"},
                      {"syn_retries", "SYN retries", "on this machine"}},
          .run = [clients](const Trial& trial) { return RunStorm(trial, clients); }};
}

}  // namespace rollcall::bench
