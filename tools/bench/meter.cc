#include "tools/bench/meter.h"

#include <sys/types.h>

#include <algorithm>

#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "tools/bench/awake.h"
#include "tools/bench/usage.h"

namespace rollcall::bench {
namespace {

constexpr double kAlmostAlways = 0.9;
constexpr absl::Duration kIdleStep = absl::Milliseconds(2);
// In a step: a sleeping loop wakes up now and then.
constexpr absl::Duration kIdleCpu = absl::Milliseconds(1);
constexpr int kIdleSteps = 4;
constexpr int kIdleStepsMax = 15'000;

absl::Duration ServerCpu(pid_t server) {
  return server == 0 ? absl::ZeroDuration() : CpuTimeOf(server).value_or(absl::ZeroDuration());
}

// Of everybody but those that keep the cores awake.
absl::Duration WantedTime() { return MachineBusyTime() - CoresKeptAwake::CpuTime(); }

}  // namespace

Cost& Cost::operator+=(const Cost& other) {
  wall += other.wall;
  server_cpu += other.server_cpu;
  load_cpu += other.load_cpu;
  others_cpu += other.others_cpu;
  return *this;
}

Meter::Meter(pid_t server)
    : server_(server),
      busy_(WantedTime()),
      server_cpu_(ServerCpu(server)),
      load_cpu_(CpuTimeOf(0).value_or(absl::ZeroDuration())),
      begin_(absl::Now()) {}

Cost Meter::Read() const {
  Cost cost;
  cost.wall = absl::Now() - begin_;
  cost.server_cpu = ServerCpu(server_) - server_cpu_;
  cost.load_cpu = CpuTimeOf(0).value_or(absl::ZeroDuration()) - load_cpu_;
  // /proc/stat counts in ticks of 10 ms, so that a short stretch may look like less than nothing.
  cost.others_cpu =
      std::max(absl::ZeroDuration(), WantedTime() - busy_ - cost.server_cpu - cost.load_cpu);
  return cost;
}

Bound BoundOf(const Cost& cost) {
  const double server = absl::FDivDuration(cost.server_cpu, cost.wall);
  const double load = absl::FDivDuration(cost.load_cpu, cost.wall);
  if (std::max(server, load) < kAlmostAlways) return Bound::kNeither;
  return server >= load ? Bound::kServer : Bound::kLoad;
}

void AwaitIdle(pid_t server) {
  if (server == 0) return absl::SleepFor(50 * kIdleStep);
  int idle_steps = 0;
  absl::Duration before = ServerCpu(server);
  for (int step = 0; step < kIdleStepsMax && idle_steps < kIdleSteps; ++step) {
    absl::SleepFor(kIdleStep);
    // On a busy machine, one that uses no CPU may yet have work.
    const bool sleeps = !WantsToRun(server);
    const absl::Duration now = ServerCpu(server);
    idle_steps = sleeps && now - before < kIdleCpu ? idle_steps + 1 : 0;
    before = now;
  }
}

}  // namespace rollcall::bench
