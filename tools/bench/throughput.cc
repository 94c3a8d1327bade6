#include <array>
#include <cstdint>
#include <string>
#include <vector>

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

constexpr absl::string_view kValue = "sixteen bytes ok";
constexpr absl::Duration kWarmUp = absl::Milliseconds(100);

class Throughput {
 public:
  Throughput(const Trial& trial, Load* load) : load_(*load) {
    for (int i = 0; i < load_.size(); ++i) {
      calls_.push_back({trial.dialog.Add(trial.Key(absl::StrCat("n", i)), 1),
                        trial.dialog.Get(trial.Key(absl::StrCat("v", i)), kValue.size())});
    }
  }

  // Makes what the clients add to and get.
  absl::Status Prepare(const Trial& trial) {
    for (int i = 0; i < load_.size(); ++i) {
      for (const Call& call : {trial.dialog.MakeCounter(trial.Key(absl::StrCat("n", i))),
                               trial.dialog.Set(trial.Key(absl::StrCat("v", i)), kValue)}) {
        if (absl::Status made = load_.Exchange(load_.client(i), call); !made.ok()) return made;
      }
    }
    return absl::OkStatus();
  }

  void Begin(int depth) {
    for (int i = 0; i < load_.size(); ++i) {
      for (int ahead = 0; ahead < depth; ++ahead) AskNext(load_.client(i));
      load_.Flush(load_.client(i));
    }
  }

  absl::Status RunFor(absl::Duration time) {
    const absl::Time end = absl::Now() + time;
    return load_.Run(
        [this](Client& client, absl::string_view) {
          ++answers_;
          AskNext(client);
        },
        [end] { return absl::Now() >= end; });
  }

  // Takes the answers that are due, so that the server has nothing left to do.
  absl::Status Drain() {
    int64_t left = asked_ - answers_;
    return load_.Run([&left](Client&, absl::string_view) { --left; },
                     [&left] { return left == 0; });
  }

  int64_t answers() const { return answers_; }

 private:
  void AskNext(Client& client) {
    ++asked_;
    client.Ask(calls_[static_cast<size_t>(client.index)][static_cast<size_t>(client.step ^= 1)]);
  }

  Load& load_;
  std::vector<std::array<Call, 2>> calls_;
  int64_t asked_ = 0;
  int64_t answers_ = 0;
};

absl::StatusOr<Sample> RunThroughput(const Trial& trial, int depth) {
  Load load(&trial.dialog, trial.server.address(), trial.sizes.connections);
  if (absl::Status greeted = load.ConnectAll(); !greeted.ok()) return greeted;
  Throughput throughput(trial, &load);
  if (absl::Status prepared = throughput.Prepare(trial); !prepared.ok()) return prepared;
  throughput.Begin(depth);
  if (absl::Status ran = throughput.RunFor(kWarmUp); !ran.ok()) return ran;
  const int64_t before = throughput.answers();
  const Meter meter(trial.server.pid());
  if (absl::Status ran = throughput.RunFor(trial.sizes.seconds); !ran.ok()) return ran;
  const Cost cost = meter.Read();
  const auto count = static_cast<double>(throughput.answers() - before);
  if (absl::Status drained = throughput.Drain(); !drained.ok()) return drained;
  return Sample{.values = {count / absl::ToDoubleMilliseconds(cost.wall),
                           ServerMicros(trial, cost, count), LoadMicros(cost, count)},
                .cost = cost};
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
