#include <cstddef>
#include <string>
#include <vector>

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

struct Round {
  Call arrive;
  Call release;
  Call hold;
};

class Barrier {
 public:
  Barrier(const Trial& trial, Load* load) : dialog_(trial.dialog), load_(*load) {
    for (int i = 0; i < trial.sizes.barrier_rounds; ++i) {
      const std::string done = trial.Key(absl::StrCat("done/", i));
      const auto gate = static_cast<Gate>(i);
      rounds_.push_back({.arrive = dialog_.Add(Counter(trial, i), 1),
                         .release = dialog_.Wake(done, gate, load_.size()),
                         .hold = dialog_.Hold({done}, gate)});
    }
  }

  absl::Status MakeCounters(const Trial& trial) {
    for (size_t i = 0; i < rounds_.size(); ++i) {
      const Call make = dialog_.MakeCounter(Counter(trial, static_cast<int>(i)));
      if (absl::Status made = load_.Exchange(load_.client(0), make); !made.ok()) return made;
    }
    return absl::OkStatus();
  }

  absl::Status Run() {
    BeginRound();
    return load_.Run([this](Client& client, absl::string_view answer) { Continue(client, answer); },
                     [this] { return round_ == rounds_.size(); });
  }

 private:
  // A client's step: how many answers it has yet to get in this round, that to its hold the last.
  static constexpr int kArriving = 100;

  static std::string Counter(const Trial& trial, int round) {
    return trial.Key(absl::StrCat("count/", round));
  }

  void BeginRound() {
    arrived_ = 0;
    left_ = 0;
    for (int i = 0; i < load_.size(); ++i) {
      load_.client(i).step = kArriving;
      load_.client(i).Ask(rounds_[round_].arrive);
      load_.Flush(load_.client(i));
    }
  }

  void Continue(Client& client, absl::string_view answer) {
    const Round& round = rounds_[round_];
    if (client.step == kArriving) {
      client.step = 0;
      if (++arrived_ == load_.size() && client.Ask(round.release)) ++client.step;
      if (client.Ask(round.hold)) ++client.step;
      return;
    }
    if (client.step == 1 && dialog_.NotYet(answer)) {
      client.Ask(round.hold);
      return;
    }
    if (--client.step > 0 || ++left_ < load_.size()) return;
    if (++round_ < rounds_.size()) BeginRound();
  }

  const Dialog& dialog_;
  Load& load_;
  std::vector<Round> rounds_;
  size_t round_ = 0;
  int arrived_ = 0;
  int left_ = 0;
};

absl::StatusOr<Sample> RunBarrier(const Trial& trial) {
  Load load(&trial.dialog, trial.access(), trial.sizes.barrier_members);
  if (absl::Status greeted = load.ConnectAll(); !greeted.ok()) return greeted;
  Barrier barrier(trial, &load);
  if (absl::Status made = barrier.MakeCounters(trial); !made.ok()) return made;
  const Meter meter(trial.server.pid());
  if (absl::Status ran = barrier.Run(); !ran.ok()) return ran;
  const Cost cost = meter.Read();
  const double rounds = trial.sizes.barrier_rounds;
  const double visits = rounds * trial.sizes.barrier_members;
  return Sample{.values = {absl::ToDoubleMilliseconds(cost.wall) / rounds,
                           ServerMicros(trial, cost, visits), LoadMicros(cost, visits)},
                .cost = cost};
}

}  // namespace

Workload BarrierWorkload(const Sizes& sizes) {
  return {
      .name = "barrier",
      .title = absl::StrCat("barrier of ", sizes.barrier_members, " (add; the last sets; wait)"),
      .metrics = {{"round_ms", "round", "ms"},
                  {"server_cpu_us", "server CPU/member", "us"},
                  {"load_cpu_us", "load CPU/member", "us"}},
      .run = RunBarrier};
}

}  // namespace rollcall::bench
