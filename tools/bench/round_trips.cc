#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "tools/bench/load.h"
#include "tools/bench/meter.h"
#include "tools/bench/statistics.h"
#include "tools/bench/workload.h"

namespace rollcall::bench {
namespace {

constexpr absl::string_view kValue = "sixteen bytes ok";

class RoundTrips {
 public:
  RoundTrips(const Trial& trial, Load* load, size_t count)
      : load_(*load),
        count_(count),
        set_(trial.dialog.Set(trial.Key("k"), kValue)),
        get_(trial.dialog.Get(trial.Key("k"), kValue.size())) {}

  absl::Status Run() {
    micros_.reserve(count_);
    Begin(load_.client(0));
    return load_.Run(
        [this](Client& client, absl::string_view) {
          if (client.step == 0) return Get(client);
          micros_.push_back(absl::ToDoubleMicroseconds(absl::Now() - began_));
          if (micros_.size() < count_) Begin(client);
        },
        [this] { return micros_.size() == count_; });
  }

  std::vector<double>& micros() { return micros_; }

 private:
  void Begin(Client& client) {
    client.step = 0;
    began_ = absl::Now();
    const bool answered = client.Ask(set_);
    load_.Flush(client);
    if (!answered) Get(client);
  }

  void Get(Client& client) {
    client.step = 1;
    client.Ask(get_);
    load_.Flush(client);
  }

  Load& load_;
  const size_t count_;
  const Call set_;
  const Call get_;
  absl::Time began_;
  std::vector<double> micros_;
};

absl::StatusOr<Sample> RunRoundTrips(const Trial& trial) {
  Load load(&trial.dialog, trial.access(), 1);
  if (absl::Status greeted = load.ConnectAll(); !greeted.ok()) return greeted;
  const auto count = static_cast<size_t>(trial.sizes.round_trips);
  RoundTrips warm_up(trial, &load, count / 10 + 1);
  if (absl::Status ran = warm_up.Run(); !ran.ok()) return ran;
  RoundTrips round_trips(trial, &load, count);
  const Meter meter(trial.server.pid());
  if (absl::Status ran = round_trips.Run(); !ran.ok()) return ran;
  const Cost cost = meter.Read();
  return Sample{
      .values = {Percentile(round_trips.micros(), 0.5), Percentile(round_trips.micros(), 0.99),
                 ServerMicros(trial, cost, static_cast<double>(count)),
                 LoadMicros(cost, static_cast<double>(count))},
      .cost = cost};
}

}  // namespace

Workload RoundTripsWorkload(const Sizes&) {
  return {.name = "round_trips",
          .title = "one client, set then get (a packet each)",
          .metrics = {{"p50_us", "p50", "us"},
                      {"p99_us", "p99", "us"},
                      {"server_cpu_us", "server CPU/pair", "us"},
                      {"load_cpu_us", "load CPU/pair", "us"}},
          .run = RunRoundTrips};
}

}  // namespace rollcall::bench
