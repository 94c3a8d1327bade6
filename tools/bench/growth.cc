// What is in a store already, keys or waiters, and what that adds to everything else.
#include <algorithm>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "tools/bench/load.h"
#include "tools/bench/meter.h"
#include "tools/bench/pipelined.h"
#include "tools/bench/workload.h"

namespace rollcall::bench {
namespace {

constexpr absl::string_view kValue = "sixteen bytes ok";
constexpr int kDepth = 16;
// Of the keys that a client touches: more than a processor's cache holds of them, where there are
// so many.
constexpr int kTouchedMax = 1000;
constexpr int kWaitingClientsMax = 10'000;

std::string KeyOf(const Trial& trial, int64_t index) { return trial.Key(absl::StrCat("k", index)); }

// Each client sets and gets keys from all over the `keys` that there are.
std::vector<std::vector<Call>> SetsAndGets(const Trial& trial, int clients, int keys) {
  std::vector<std::vector<Call>> calls;
  const int touched = std::min(keys, kTouchedMax);
  int64_t at = 0;
  for (int client = 0; client < clients; ++client) {
    std::vector<Call> own;
    for (int i = 0; i < touched; ++i) {
      // A step that shares no divisor with any number of keys here.
      at = (at + 7919) % keys;
      own.push_back(trial.dialog.Set(KeyOf(trial, at), kValue));
      own.push_back(trial.dialog.Get(KeyOf(trial, at), kValue.size()));
    }
    calls.push_back(std::move(own));
  }
  return calls;
}

absl::StatusOr<Sample> RunAmongKeys(const Trial& trial, int keys) {
  Load load(&trial.dialog, trial.access(), trial.sizes.connections);
  if (absl::Status greeted = load.ConnectAll(); !greeted.ok()) return greeted;
  absl::Status made = MakeAll(load, load.client(0), keys,
                              [&](int i) { return trial.dialog.Set(KeyOf(trial, i), kValue); });
  if (!made.ok()) return made;
  return Pipelined(&load, SetsAndGets(trial, load.size(), keys)).Measure(trial, kDepth);
}

absl::StatusOr<Sample> RunAmongWaiters(const Trial& trial, int keys) {
  if (!trial.dialog.HoldsOnServer()) return absl::UnimplementedError("nobody waits on the server");
  const int clients = std::min(keys, kWaitingClientsMax);
  Load waiting(&trial.dialog, trial.access(), clients);
  if (absl::Status greeted = waiting.ConnectAll(); !greeted.ok()) return greeted;
  for (int i = 0; i < clients; ++i) {
    std::vector<std::string> own;
    for (int key = i; key < keys; key += clients) own.push_back(trial.Key(absl::StrCat("w", key)));
    waiting.client(i).Ask(trial.dialog.Hold(own, 0));
    waiting.Flush(waiting.client(i));
  }
  AwaitIdle(trial.server.pid());
  return RunAmongKeys(trial, trial.sizes.connections);
}

std::vector<Metric> Metrics() {
  return {{"kops", "throughput", "kops/s", Better::kHigher},
          {"server_cpu_us", "server CPU/op", "us"},
          {"load_cpu_us", "load CPU/op", "us"}};
}

}  // namespace

Workload KeysWorkload(const Sizes&, int keys) {
  return {.name = "keys",
          .title = absl::StrCat("set and get among ", keys, " keys"),
          .metrics = Metrics(),
          .run = [keys](const Trial& trial) { return RunAmongKeys(trial, keys); }};
}

Workload WaitersWorkload(const Sizes&, int keys) {
  return {.name = "waiters",
          .title = absl::StrCat("set and get while ", keys, " other keys are waited for"),
          .metrics = Metrics(),
          .run = [keys](const Trial& trial) { return RunAmongWaiters(trial, keys); }};
}

}  // namespace rollcall::bench
