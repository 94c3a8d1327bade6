// How fast worlds are: `bazel run -c opt //fault_injection:world_bench`. Best of several
// rounds, in seconds of processor time.
#include <time.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "fault_injection/fiber.h"
#include "fault_injection/sim_env.h"
#include "fault_injection/sim_net.h"
#include "fault_injection/world.h"
#include "net/syscalls.h"
#include "store/hash_store.h"
#include "store/tcp_store.h"

namespace rollcall::fault {
namespace {

constexpr int kRounds = 5;
constexpr int kRanks = 16;

// Of this process: what else the machine does is not counted.
double CpuSeconds() {
  timespec now = {};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

// Seconds of the fastest round.
double Best(const std::function<void()>& round) {
  double best = 1e9;
  for (int i = 0; i < kRounds; ++i) {
    const double begin = CpuSeconds();
    round();
    best = std::min(best, CpuSeconds() - begin);
  }
  return best;
}

void Report(const char* what, double per_second) {
  std::printf("%-58s %14.0f /s %10.1f ns\n", what, per_second, 1e9 / per_second);
}

void BenchBareSwitches() {
  constexpr int kSwitches = 2'000'000;
  struct Pair {
    Fiber outside;
    Fiber fiber{&Pair::Main, this};
    static void Main(void* self) {
      auto& pair = *static_cast<Pair*>(self);
      for (;;) Fiber::Switch(pair.fiber, pair.outside);
    }
  };
  Pair pair;
  const double seconds = Best([&] {
    for (int i = 0; i < kSwitches / 2; ++i) Fiber::Switch(pair.outside, pair.fiber);
  });
  Report("bare fiber switches", kSwitches / seconds);
}

void BenchSwitches(SchedulePolicy policy, const char* what) {
  constexpr int kTurns = 20'000;
  uint64_t steps = 0;
  const double seconds = Best([&] {
    World world({.policy = policy});
    for (int i = 0; i < kRanks; ++i) {
      world.Spawn("w" + std::to_string(i), [&world] {
        for (int turn = 0; turn < kTurns; ++turn) world.Block(world.Now(), "its turn");
      });
    }
    if (!world.Run().ok()) std::abort();
    steps = world.steps();
  });
  Report(what, static_cast<double>(steps) / seconds);
}

void BenchTimers() {
  constexpr int kSleeps = 20'000;
  uint64_t steps = 0;
  const double seconds = Best([&] {
    World world;
    for (int i = 0; i < kRanks; ++i) {
      world.Spawn("w" + std::to_string(i), [&world, i] {
        for (int turn = 0; turn < kSleeps; ++turn) {
          world.Block(world.Now() + absl::Microseconds(100 + i), "a sleep");
        }
      });
    }
    if (!world.Run().ok()) std::abort();
    steps = world.steps();
  });
  Report("sleeps of 16 fibers, each at a time of its own", static_cast<double>(steps) / seconds);
}

void BenchEmptyWorlds() {
  constexpr int kWorlds = 50'000;
  const double seconds = Best([&] {
    for (int i = 0; i < kWorlds; ++i) {
      World world({.seed = static_cast<uint64_t>(i)});
      if (!world.Run().ok()) std::abort();
    }
  });
  Report("worlds, empty", kWorlds / seconds);
}

void BenchBarrierWorlds(SchedulePolicy policy, const char* what) {
  constexpr int kWorlds = 2'000;
  uint64_t steps = 0;
  const double seconds = Best([&] {
    steps = 0;
    for (int i = 0; i < kWorlds; ++i) {
      World world({.seed = static_cast<uint64_t>(i), .policy = policy});
      SimEnv env(&world, &net::RealSyscalls(), {.host = "host"});
      HashStore store(env);
      for (int rank = 0; rank < kRanks; ++rank) {
        world.Spawn("w" + std::to_string(rank), [&] { store.Barrier("all", kRanks); });
      }
      if (!world.Run().ok()) std::abort();
      steps += world.steps();
    }
  });
  Report(what, kWorlds / seconds);
  std::printf("  of %.0f turns each\n", static_cast<double>(steps) / kWorlds);
}

// The client and the server of production: every rank connects, joins, says where it is and hears
// where all others are.
void BenchRendezvousWorlds(SchedulePolicy policy, const char* what) {
  constexpr int kWorlds = 300;
  uint64_t steps = 0;
  absl::Duration virtual_time;
  const double seconds = Best([&] {
    steps = 0;
    for (int i = 0; i < kWorlds; ++i) {
      World world({.seed = static_cast<uint64_t>(i), .policy = policy});
      SimNet net(&world);
      std::vector<std::unique_ptr<SimEnv>> envs;
      for (int rank = 0; rank < kRanks; ++rank) {
        const std::string host = absl::StrCat("w", rank);
        net::Syscalls& kernel = net.AddHost(host, {absl::StrCat("10.0.0.", rank + 1)});
        envs.push_back(std::make_unique<SimEnv>(&world, &kernel, SimProcess{.host = host}));
        envs.back()->Start([&env = *envs.back(), rank] {
          TcpStoreOptions options;
          options.host = "10.0.0.1";
          options.is_server = rank == 0;
          options.world_size = kRanks;
          TcpStore store(env, options);
          store.Set(absl::StrCat("rank", rank), "here");
          std::vector<std::string> all;
          for (int other = 0; other < kRanks; ++other) all.push_back(absl::StrCat("rank", other));
          store.MultiGet(all);
          store.Barrier("done", kRanks);
        });
      }
      if (const absl::Status run = world.Run(); !run.ok()) {
        std::fprintf(stderr, "%s\n", std::string(run.message()).c_str());
        std::abort();
      }
      steps += world.steps();
      virtual_time = world.elapsed();
    }
  });
  Report(what, kWorlds / seconds);
  std::printf("  of %.0f turns and %s of virtual time each: %.0f turns /s, %.0f : 1\n",
              static_cast<double>(steps) / kWorlds, absl::FormatDuration(virtual_time).c_str(),
              static_cast<double>(steps) / seconds,
              absl::ToDoubleSeconds(virtual_time) * kWorlds / seconds);
}

}  // namespace
}  // namespace rollcall::fault

// With an argument: only the one of that number, from 1.
int main(int argc, char** argv) {
  using rollcall::fault::SchedulePolicy;
  const std::vector<std::function<void()>> benches = {
      rollcall::fault::BenchBareSwitches,
      [] {
        rollcall::fault::BenchSwitches(SchedulePolicy::kFifo,
                                       "turns of 16 fibers, first come first served");
      },
      [] {
        rollcall::fault::BenchSwitches(SchedulePolicy::kRandom, "turns of 16 fibers, at random");
      },
      rollcall::fault::BenchTimers,
      rollcall::fault::BenchEmptyWorlds,
      [] {
        rollcall::fault::BenchBarrierWorlds(SchedulePolicy::kFifo,
                                            "worlds, barrier of 16 on HashStore, first come");
      },
      [] {
        rollcall::fault::BenchBarrierWorlds(SchedulePolicy::kRandom,
                                            "worlds, barrier of 16 on HashStore, at random");
      },
      [] {
        rollcall::fault::BenchRendezvousWorlds(SchedulePolicy::kFifo,
                                               "worlds, rendezvous of 16 over TCP, first come");
      },
      [] {
        rollcall::fault::BenchRendezvousWorlds(SchedulePolicy::kRandom,
                                               "worlds, rendezvous of 16 over TCP, at random");
      },
  };
  const size_t only = argc > 1 ? static_cast<size_t>(std::atoi(argv[1])) : 0;
  for (size_t i = 0; i < benches.size(); ++i) {
    if (only == 0 || only == i + 1) benches[i]();
  }
}
