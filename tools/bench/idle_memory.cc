#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "tools/bench/load.h"
#include "tools/bench/meter.h"
#include "tools/bench/usage.h"
#include "tools/bench/workload.h"

namespace rollcall::bench {
namespace {

// Each client's one request.
absl::Status AskOnce(const Trial& trial, Load& load, const std::string& counter) {
  const Call add = trial.dialog.Add(counter, 1);
  int left = load.size();
  for (int i = 0; i < load.size(); ++i) {
    load.client(i).Ask(add);
    load.Flush(load.client(i));
  }
  return load.Run([&left](Client&, absl::string_view) { --left; }, [&left] { return left == 0; });
}

absl::StatusOr<Sample> RunIdleMemory(const Trial& trial) {
  if (trial.server.pid() == 0) return absl::UnimplementedError("whose process is unknown");
  const int connections = trial.sizes.ranks;
  const std::string counter = trial.Key("n");
  Load control(&trial.dialog, trial.access(), 1);
  if (absl::Status greeted = control.ConnectAll(); !greeted.ok()) return greeted;
  absl::Status made = control.Exchange(control.client(0), trial.dialog.MakeCounter(counter));
  if (!made.ok()) return made;
  const std::optional<Memory> before = MemoryOf(trial.server.pid());
  const Meter meter(trial.server.pid());
  std::optional<Memory> idle;
  {
    Load load(&trial.dialog, trial.access(), connections);
    if (absl::Status greeted = load.ConnectAll(); !greeted.ok()) return greeted;
    if (absl::Status asked = AskOnce(trial, load, counter); !asked.ok()) return asked;
    AwaitIdle(trial.server.pid());
    idle = MemoryOf(trial.server.pid());
  }
  AwaitIdle(trial.server.pid());
  const std::optional<Memory> after = MemoryOf(trial.server.pid());
  if (!before || !idle || !after) return absl::UnavailableError("the server is gone");
  const auto begin = static_cast<double>(before->resident_kib);
  return Sample{.values = {(static_cast<double>(idle->resident_kib) - begin) / connections,
                           static_cast<double>(idle->resident_kib) / 1024,
                           100 * static_cast<double>(after->resident_kib) / begin},
                .cost = meter.Read()};
}

}  // namespace

Workload IdleMemoryWorkload(const Sizes& sizes) {
  return {.name = "idle_memory",
          .title = absl::StrCat("memory for ", sizes.ranks, " idle connections"),
          .metrics = {{"kib", "resident/connection", "KiB"},
                      {"resident_mb", "resident", "MB"},
                      {"after_percent", "when they left, of before", "%"}},
          .needs_fresh_server = true,
          .run = RunIdleMemory};
}

}  // namespace rollcall::bench
