#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "tools/bench/load.h"
#include "tools/bench/meter.h"
#include "tools/bench/workload.h"

namespace rollcall::bench {
namespace {

constexpr int kRounds = 4;
constexpr absl::Duration kPollingBefore = absl::Milliseconds(50);
// The kernel puts off the acknowledgement of a hold for up to 40 ms, in the hope that an answer
// comes with which it can travel. Whoever really waits has waited longer than that.
constexpr absl::Duration kAcknowledged = absl::Milliseconds(100);

// All but the last client of `load` wait, the last one wakes them.
absl::StatusOr<Cost> WakeAll(const Trial& trial, Load& load, int round) {
  const int waiters = load.size() - 1;
  const std::string key = trial.Key(absl::StrCat("go/", round));
  const auto gate = static_cast<Gate>(round);
  const Call hold = trial.dialog.Hold({key}, gate);
  const Call wake = trial.dialog.Wake(key, gate, waiters);
  int woken = 0;
  const auto on_answer = [&](Client& client, absl::string_view answer) {
    if (client.index == waiters) return;
    if (trial.dialog.NotYet(answer)) {
      client.Ask(hold);
    } else {
      ++woken;
    }
  };
  for (int i = 0; i < waiters; ++i) {
    load.client(i).Ask(hold);
    load.Flush(load.client(i));
  }
  if (trial.dialog.HoldsOnServer()) {
    AwaitIdle(trial.server.pid());
    absl::SleepFor(kAcknowledged);
  } else {
    const absl::Time until = absl::Now() + kPollingBefore;
    absl::Status polled = load.Run(on_answer, [until] { return absl::Now() >= until; });
    if (!polled.ok()) return polled;
  }
  if (woken > 0) return absl::DataLossError(absl::StrCat(woken, " woke up before the key was set"));
  const Meter meter(trial.server.pid());
  load.client(waiters).Ask(wake);
  load.Flush(load.client(waiters));
  if (absl::Status ran = load.Run(on_answer, [&] { return woken == waiters; }); !ran.ok()) {
    return ran;
  }
  return meter.Read();
}

absl::StatusOr<Sample> RunFanOut(const Trial& trial) {
  const int waiters = trial.sizes.waiters;
  Load load(&trial.dialog, trial.access(), waiters + 1);
  if (absl::Status greeted = load.ConnectAll(); !greeted.ok()) return greeted;
  Cost cost;
  // The first is for the server's memory to take its shape.
  for (int round = 0; round <= kRounds; ++round) {
    const absl::StatusOr<Cost> woken = WakeAll(trial, load, round);
    if (!woken.ok()) return woken.status();
    if (round > 0) cost += *woken;
  }
  return Sample{
      .values = {absl::ToDoubleMilliseconds(cost.wall) / kRounds,
                 ServerMicros(trial, cost, kRounds * waiters), LoadMicros(cost, kRounds * waiters)},
      .cost = cost};
}

}  // namespace

Workload FanOutWorkload(const Sizes& sizes) {
  return {.name = "fan_out",
          .title = absl::StrCat(sizes.waiters, " waiters woken by one set"),
          .metrics = {{"wall_ms", "wall", "ms"},
                      {"server_cpu_us", "server CPU/waiter", "us"},
                      {"load_cpu_us", "load CPU/waiter", "us"}},
          .run = RunFanOut};
}

}  // namespace rollcall::bench
