#include <algorithm>
#include <cstddef>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "tools/bench/load.h"
#include "tools/bench/meter.h"
#include "tools/bench/usage.h"
#include "tools/bench/workload.h"

namespace rollcall::bench {
namespace {

// Below the backlog of every server here: a SYN that is dropped would cost a second.
constexpr int kJoiningMax = 500;
constexpr absl::string_view kAddress = "10.0.0.1:29500 rank and host";

class Joining {
 public:
  Joining(const Trial& trial, Load* load, int ranks)
      : trial_(trial),
        load_(*load),
        ranks_(ranks),
        opening_(OpeningOf(trial.dialog)),
        count_(trial.dialog.Add(trial.Key("init"), 1)),
        await_(trial.dialog.Await(trial.Key("rank/0"))),
        get_(trial.dialog.Get(trial.Key("rank/0"), kAddress.size())) {}

  absl::Status Run() {
    Fill();
    return load_.Run(
        [this](Client& client, absl::string_view answer) {
          // Asked by polling, for protocols without a wait.
          if (client.step == StepOf(kAwait) + 1 && trial_.dialog.NotYet(answer)) --client.step;
          Advance(client);
          Fill();
        },
        [this] { return joined_ == ranks_; });
  }

 private:
  // What comes behind the opening.
  enum Step { kCount, kSet, kAwait, kGet, kSteps };

  static std::vector<Call> OpeningOf(const Dialog& dialog) {
    std::vector<Call> opening = {dialog.Hello()};
    if (std::optional<Call> token = dialog.Token()) opening.push_back(*std::move(token));
    return opening;
  }

  int StepOf(Step step) const { return static_cast<int>(opening_.size()) + step; }

  void Fill() {
    while (next_ < ranks_ && next_ - joined_ < kJoiningMax) {
      Client& client = load_.client(next_++);
      load_.Connect(client);
      Advance(client);
      load_.Flush(client);
    }
  }

  // Asks the next question that has an answer, and those before it.
  void Advance(Client& client) {
    while (client.step < StepOf(kSteps)) {
      if (Ask(client, client.step++)) return;
    }
    ++joined_;
  }

  bool Ask(Client& client, int step) {
    if (step < StepOf(kCount)) return client.Ask(opening_[static_cast<size_t>(step)]);
    if (step == StepOf(kCount)) return client.Ask(count_);
    if (step == StepOf(kSet)) {
      const std::string key = trial_.Key(absl::StrCat("rank/", client.index));
      return client.Ask(trial_.dialog.Set(key, kAddress));
    }
    return client.Ask(step == StepOf(kAwait) ? await_ : get_);
  }

  const Trial& trial_;
  Load& load_;
  const int ranks_;
  const std::vector<Call> opening_;
  const Call count_;
  const Call await_;
  const Call get_;
  int next_ = 0;
  int joined_ = 0;
};

// All the ranks of one job.
absl::StatusOr<Cost> JoinOnce(const Trial& trial, int ranks) {
  Load control(&trial.dialog, trial.access(), 1);
  if (absl::Status greeted = control.ConnectAll(); !greeted.ok()) return greeted;
  const std::string counter = trial.Key("init");
  if (absl::Status made = control.Exchange(control.client(0), trial.dialog.MakeCounter(counter));
      !made.ok()) {
    return made;
  }
  Load load(&trial.dialog, trial.access(), ranks);
  const Meter meter(trial.server.pid());
  Joining joining(trial, &load, ranks);
  if (absl::Status joined = joining.Run(); !joined.ok()) return joined;
  const Cost cost = meter.Read();

  std::string answer;
  if (absl::Status asked =
          control.Exchange(control.client(0), trial.dialog.Add(counter, 0), &answer);
      !asked.ok()) {
    return asked;
  }
  if (trial.dialog.Number(answer).value_or(ranks) != ranks) {
    return absl::DataLossError(
        absl::StrCat("of ", ranks, " ranks the server counted ", *trial.dialog.Number(answer)));
  }
  return cost;
}

absl::StatusOr<Sample> RunJoin(const Trial& trial, int ranks) {
  ResetPeakMemory(trial.server.pid());
  const int jobs = std::max(1, trial.sizes.joins_min / ranks);
  Sample sample;
  for (int job = 0; job < jobs; ++job) {
    const Trial own{trial.dialog, trial.server, trial.sizes,
                    trial.Key(absl::StrCat("job", job, "/")), trial.tls};
    const absl::StatusOr<Cost> cost = JoinOnce(own, ranks);
    if (!cost.ok()) return cost.status();
    sample.cost += *cost;
  }
  const std::optional<Memory> memory = MemoryOf(trial.server.pid());
  const double joins = static_cast<double>(jobs) * ranks;
  sample.values = {absl::ToDoubleMilliseconds(sample.cost.wall) / jobs,
                   ServerMicros(trial, sample.cost, joins), LoadMicros(sample.cost, joins),
                   std::nullopt};
  if (memory) sample.values[3] = static_cast<double>(memory->peak_resident_kib) / 1024;
  return sample;
}

}  // namespace

Workload JoinWorkload(int ranks) {
  return {.name = "join",
          .title = absl::StrCat("join of ", ranks,
                                " (connect, hello, add, set, wait, get; 500 at a time)"),
          .metrics = {{"wall_ms", "wall", "ms"},
                      {"server_cpu_us", "server CPU/rank", "us"},
                      {"load_cpu_us", "load CPU/rank", "us"},
                      {"peak_mb", "peak resident", "MB"}},
          .run = [ranks](const Trial& trial) { return RunJoin(trial, ranks); }};
}

}  // namespace rollcall::bench
