#include "tools/bench/pipelined.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "tools/bench/load.h"
#include "tools/bench/meter.h"
#include "tools/bench/workload.h"

namespace rollcall::bench {
namespace {

constexpr absl::Duration kWarmUp = absl::Milliseconds(100);
constexpr int kBatch = 500;

}  // namespace

Pipelined::Pipelined(Load* load, std::vector<std::vector<Call>> calls)
    : load_(*load), calls_(std::move(calls)) {}

absl::StatusOr<Sample> Pipelined::Measure(const Trial& trial, int depth) {
  for (int i = 0; i < load_.size(); ++i) {
    load_.client(i).step = 0;
    for (int ahead = 0; ahead < depth; ++ahead) AskNext(load_.client(i));
    load_.Flush(load_.client(i));
  }
  if (absl::Status ran = RunFor(kWarmUp); !ran.ok()) return ran;
  const int64_t before = calls_made_;
  const Meter meter(trial.server.pid());
  if (absl::Status ran = RunFor(trial.sizes.seconds); !ran.ok()) return ran;
  const Cost cost = meter.Read();
  const auto count = static_cast<double>(calls_made_ - before);
  if (absl::Status drained = Drain(); !drained.ok()) return drained;
  return Sample{.values = {count / absl::ToDoubleMilliseconds(cost.wall),
                           ServerMicros(trial, cost, count), LoadMicros(cost, count)},
                .cost = cost};
}

void Pipelined::AskNext(Client& client) {
  const std::vector<Call>& calls = calls_[static_cast<size_t>(client.index)];
  bool answered = false;
  while (!answered) {
    answered = client.Ask(calls[static_cast<size_t>(client.step)]);
    client.step = client.step + 1 == static_cast<int>(calls.size()) ? 0 : client.step + 1;
    ++calls_made_;
  }
  ++in_flight_;
}

absl::Status Pipelined::RunFor(absl::Duration time) {
  const absl::Time end = absl::Now() + time;
  return load_.Run(
      [this](Client& client, absl::string_view) {
        --in_flight_;
        AskNext(client);
      },
      [end] { return absl::Now() >= end; });
}

absl::Status Pipelined::Drain() {
  return load_.Run([this](Client&, absl::string_view) { --in_flight_; },
                   [this] { return in_flight_ == 0; });
}

absl::Status MakeAll(Load& load, Client& client, int count,
                     const std::function<Call(int index)>& call_of) {
  for (int begin = 0; begin < count; begin += kBatch) {
    int in_flight = 0;
    for (int i = begin; i < std::min(count, begin + kBatch); ++i) {
      if (client.Ask(call_of(i))) ++in_flight;
    }
    // Where none of them is answered, this shows that they were taken.
    if (in_flight == 0 && client.Ask(load.dialog().Probe())) ++in_flight;
    load.Flush(client);
    absl::Status made =
        load.Run([&](Client&, absl::string_view) { --in_flight; }, [&] { return in_flight == 0; });
    if (!made.ok()) return made;
  }
  return absl::OkStatus();
}

}  // namespace rollcall::bench
