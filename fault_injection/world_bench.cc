// How fast worlds are: `bazel run -c opt //fault_injection:world_bench`. Best of several rounds.
#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "fault_injection/fiber.h"
#include "fault_injection/sim_env.h"
#include "fault_injection/world.h"
#include "net/syscalls.h"
#include "store/hash_store.h"

namespace rollcall::fault {
namespace {

constexpr int kRounds = 5;
constexpr int kRanks = 16;

// Seconds of the fastest round.
double Best(const std::function<void()>& round) {
  double best = 1e9;
  for (int i = 0; i < kRounds; ++i) {
    const auto begin = std::chrono::steady_clock::now();
    round();
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
    best = std::min(best, took.count());
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
  };
  const size_t only = argc > 1 ? static_cast<size_t>(std::atoi(argv[1])) : 0;
  for (size_t i = 0; i < benches.size(); ++i) {
    if (only == 0 || only == i + 1) benches[i]();
  }
}
