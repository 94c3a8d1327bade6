#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "tools/bench/load.h"
#include "tools/bench/pipelined.h"
#include "tools/bench/workload.h"

namespace rollcall::bench {
namespace {

constexpr absl::string_view kValue = "sixteen bytes ok";

absl::StatusOr<Sample> RunThroughput(const Trial& trial, int depth) {
  Load load(&trial.dialog, trial.access(), trial.sizes.connections);
  if (absl::Status greeted = load.ConnectAll(); !greeted.ok()) return greeted;
  std::vector<std::vector<Call>> calls;
  for (int i = 0; i < load.size(); ++i) {
    const std::string number = trial.Key(absl::StrCat("n", i));
    const std::string text = trial.Key(absl::StrCat("v", i));
    for (const Call& call : {trial.dialog.MakeCounter(number), trial.dialog.Set(text, kValue)}) {
      if (absl::Status made = load.Exchange(load.client(i), call); !made.ok()) return made;
    }
    calls.push_back({trial.dialog.Add(number, 1), trial.dialog.Get(text, kValue.size())});
  }
  return Pipelined(&load, std::move(calls)).Measure(trial, depth);
}

}  // namespace

Workload ThroughputWorkload(const Sizes& sizes, int depth) {
  return {.name = absl::StrCat("depth", depth),
          .title = absl::StrCat(sizes.connections, " connections, ", depth,
                                " in flight each (add, get)"),
          .metrics = {{"kops", "throughput", "kops/s", Better::kHigher},
                      {"server_cpu_us", "server CPU/op", "us"},
                      {"load_cpu_us", "load CPU/op", "us"}},
          .run = [depth](const Trial& trial) { return RunThroughput(trial, depth); }};
}

}  // namespace rollcall::bench
