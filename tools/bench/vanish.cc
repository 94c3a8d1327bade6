#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "tools/bench/load.h"
#include "tools/bench/meter.h"
#include "tools/bench/workload.h"

namespace rollcall::bench {
namespace {

constexpr int kFew = 100;
constexpr int kBatches = 8;
constexpr int kVanishing = 50;

void BeginWaiting(const Trial& trial, Load& load, int waiters, Client& client) {
  const Gate gate = 0;
  load.client(client.index)
      .Ask(trial.dialog.Hold(
          {trial.Key(absl::StrCat("own/", waiters, "/", client.index)), trial.Key("all")}, gate));
  load.Flush(client);
}

// What the server spends on those who vanish, of `waiters` that wait.
absl::StatusOr<Cost> CostOfVanishing(const Trial& trial, int waiters) {
  Load load(&trial.dialog, trial.access(), waiters);
  if (absl::Status greeted = load.ConnectAll(); !greeted.ok()) return greeted;
  for (int i = 0; i < waiters; ++i) BeginWaiting(trial, load, waiters, load.client(i));
  AwaitIdle(trial.server.pid());
  Cost cost;
  for (int batch = 0; batch < kBatches; ++batch) {
    // From all over the lists that they wait in.
    const int apart = waiters / kVanishing;
    const Meter meter(trial.server.pid());
    for (int i = 0; i < kVanishing; ++i) load.Close(load.client(i * apart));
    AwaitIdle(trial.server.pid());
    cost += meter.Read();
    for (int i = 0; i < kVanishing; ++i) {
      Client& client = load.client(i * apart);
      load.Connect(client);
      if (absl::Status greeted = load.Greet(client); !greeted.ok()) {
        return greeted;
      }
      BeginWaiting(trial, load, waiters, client);
    }
    AwaitIdle(trial.server.pid());
  }
  return cost;
}

absl::StatusOr<Sample> RunVanish(const Trial& trial) {
  if (!trial.dialog.HoldsOnServer()) return absl::UnimplementedError("nobody waits on the server");
  if (trial.server.pid() == 0) return absl::UnimplementedError("whose process is unknown");
  const absl::StatusOr<Cost> few = CostOfVanishing(trial, kFew);
  if (!few.ok()) return few.status();
  const absl::StatusOr<Cost> many = CostOfVanishing(trial, trial.sizes.ranks);
  if (!many.ok()) return many.status();
  constexpr double kCount = kBatches * kVanishing;
  const std::optional<double> of_few = ServerMicros(trial, *few, kCount);
  const std::optional<double> of_many = ServerMicros(trial, *many, kCount);
  Cost both = *few;
  both += *many;
  return Sample{.values = {of_few, of_many, *of_many / *of_few}, .cost = both};
}

}  // namespace

Workload VanishWorkload(const Sizes& sizes) {
  return {.name = "vanish",
          .title = absl::StrCat("clients that vanish while ", kFew, " or ", sizes.ranks, " wait"),
          .metrics = {{"few_us", absl::StrCat("server CPU/client, ", kFew), "us"},
                      {"many_us", absl::StrCat("server CPU/client, ", sizes.ranks), "us"},
                      {"growth", "growth", "times"}},
          .run = RunVanish};
}

}  // namespace rollcall::bench
