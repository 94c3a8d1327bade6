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

absl::StatusOr<Cost> Repeat(const Trial& trial, Load& load, const Call& call) {
  int left = trial.sizes.big_values;
  const auto ask = [&](Client& client) {
    client.AskInPlace(call);
    load.Flush(client);
  };
  const Meter meter(trial.server.pid());
  ask(load.client(0));
  absl::Status ran = load.Run(
      [&](Client& client, absl::string_view) {
        if (--left > 0) ask(client);
      },
      [&left] { return left == 0; });
  if (!ran.ok()) return ran;
  return meter.Read();
}

absl::StatusOr<Sample> RunBigValue(const Trial& trial) {
  Load load(&trial.dialog, trial.access(), 1);
  if (absl::Status greeted = load.ConnectAll(); !greeted.ok()) return greeted;
  const std::string counter = trial.Key("set");
  absl::Status made = load.Exchange(load.client(0), trial.dialog.MakeCounter(counter));
  if (!made.ok()) return made;
  const std::string key = trial.Key("big");
  const std::string value(trial.sizes.big_value_bytes, 'x');
  Call set = trial.dialog.Set(key, value);
  // A TCPStore says nothing to a set: that it is done is known from the answer to the next.
  if (set.answers.empty()) {
    const Call next = trial.dialog.Add(counter, 1);
    set.bytes += next.bytes;
    set.answers = next.answers;
  }
  // The first two give the old value and the new their memory: that is the kernel's work, once.
  for (int i = 0; i < 2; ++i) {
    if (absl::Status first = load.Exchange(load.client(0), set); !first.ok()) return first;
  }
  const absl::StatusOr<Cost> sets = Repeat(trial, load, set);
  if (!sets.ok()) return sets.status();
  const absl::StatusOr<Cost> gets = Repeat(trial, load, trial.dialog.Get(key, value.size()));
  if (!gets.ok()) return gets.status();

  Cost both = *sets;
  both += *gets;
  const double count = trial.sizes.big_values;
  const double megabytes = count * static_cast<double>(value.size()) / 1e6;
  Sample sample{.cost = both};
  sample.values = {megabytes / absl::ToDoubleSeconds(sets->wall),
                   megabytes / absl::ToDoubleSeconds(gets->wall), ServerMicros(trial, *sets, count),
                   ServerMicros(trial, *gets, count)};
  return sample;
}

}  // namespace

Workload BigValueWorkload(const Sizes& sizes) {
  return {.name = "big_value",
          .title = absl::StrCat("a value of ", sizes.big_value_bytes, " bytes"),
          .metrics = {{"set_mbps", "set", "MB/s", Better::kHigher},
                      {"get_mbps", "get", "MB/s", Better::kHigher},
                      {"set_cpu_us", "server CPU/set", "us"},
                      {"get_cpu_us", "server CPU/get", "us"}},
          .run = RunBigValue};
}

}  // namespace rollcall::bench
