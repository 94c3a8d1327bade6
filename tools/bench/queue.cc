#include <cstddef>
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

constexpr absl::string_view kItem = "an item of twenty-four..";
constexpr absl::Duration kWarmUp = absl::Milliseconds(50);

// The first half of a load's clients take, each from the one that many places further on.
class HandOver {
 public:
  static absl::StatusOr<HandOver> Make(const Trial& trial, Load* load) {
    HandOver hand_over(load);
    for (int pair = 0; pair < hand_over.pairs_; ++pair) {
      const std::string queue = trial.Key(absl::StrCat("q", pair));
      const auto gate = static_cast<Gate>(pair);
      absl::StatusOr<Call> push = trial.dialog.Push(queue, gate, kItem);
      absl::StatusOr<std::vector<Call>> take = trial.dialog.Take(queue, gate, kItem.size());
      if (!push.ok()) return push.status();
      if (!take.ok()) return take.status();
      hand_over.pushes_.push_back(*push);
      hand_over.takes_.push_back(*take);
    }
    return hand_over;
  }

  void Begin() {
    for (int pair = 0; pair < pairs_; ++pair) {
      BeginTaking(load_.client(pair));
      load_.Flush(load_.client(pair));
      Push(pair);
    }
  }

  absl::Status RunFor(absl::Duration time) {
    const absl::Time end = absl::Now() + time;
    return load_.Run(
        [this](Client& client, absl::string_view) {
          if (client.index < pairs_) Continue(client);
        },
        [end] { return absl::Now() >= end; });
  }

  int64_t count() const { return count_; }

 private:
  explicit HandOver(Load* load) : load_(*load), pairs_(load->size() / 2) {}

  void BeginTaking(Client& client) {
    client.step = 0;
    client.Ask(takes_[static_cast<size_t>(client.index)][0]);
  }

  void Continue(Client& client) {
    const std::vector<Call>& take = takes_[static_cast<size_t>(client.index)];
    const auto next = static_cast<size_t>(++client.step);
    if (next < take.size()) {
      client.Ask(take[next]);
      return;
    }
    ++count_;
    BeginTaking(client);
    Push(client.index);
  }

  void Push(int pair) {
    Client& client = load_.client(pairs_ + pair);
    client.Ask(pushes_[static_cast<size_t>(pair)]);
    load_.Flush(client);
  }

  Load& load_;
  const int pairs_;
  std::vector<Call> pushes_;
  std::vector<std::vector<Call>> takes_;
  int64_t count_ = 0;
};

absl::StatusOr<Sample> RunQueue(const Trial& trial) {
  Load load(&trial.dialog, trial.access(), 2 * trial.sizes.queue_pairs);
  absl::StatusOr<HandOver> hand_over = HandOver::Make(trial, &load);
  if (!hand_over.ok()) return hand_over.status();
  if (absl::Status greeted = load.ConnectAll(); !greeted.ok()) return greeted;
  hand_over->Begin();
  if (absl::Status ran = hand_over->RunFor(kWarmUp); !ran.ok()) return ran;
  const int64_t before = hand_over->count();
  const Meter meter(trial.server.pid());
  if (absl::Status ran = hand_over->RunFor(trial.sizes.seconds / 2); !ran.ok()) return ran;
  const Cost cost = meter.Read();
  const auto count = static_cast<double>(hand_over->count() - before);
  return Sample{.values = {count / absl::ToDoubleMilliseconds(cost.wall),
                           ServerMicros(trial, cost, count), LoadMicros(cost, count)},
                .cost = cost};
}

}  // namespace

Workload QueueWorkload(const Sizes& sizes) {
  return {.name = "queue",
          .title = absl::StrCat("queue hand-over, ", sizes.queue_pairs, " pairs"),
          .metrics = {{"khandovers", "hand-overs", "k/s", Better::kHigher},
                      {"server_cpu_us", "server CPU/hand-over", "us"},
                      {"load_cpu_us", "load CPU/hand-over", "us"}},
          .run = RunQueue};
}

}  // namespace rollcall::bench
