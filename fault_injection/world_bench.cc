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
#include <utility>
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

// How the host of the server learns that it may go.
enum class Farewell {
  kWord,     // Each rank leaves a word (a set) and goes; the host waits for the words of all.
  kBarrier,  // All ranks meet in a barrier, for which each needs a connection more.
};

struct Rendezvous {
  SchedulePolicy policy;
  Farewell farewell = Farewell::kWord;
  // Each rank's process begins so much after the one before it.
  absl::Duration start_interval = absl::ZeroDuration();
};

// What the ranks call things; made once, not in each world.
struct Names {
  Names() {
    for (int rank = 0; rank < kRanks; ++rank) {
      hosts.push_back(absl::StrCat("w", rank));
      addresses.push_back(absl::StrCat("10.0.0.", rank + 1));
      places.push_back(absl::StrCat("rank", rank));
      words.push_back(absl::StrCat("left", rank));
    }
  }

  std::vector<std::string> hosts;
  std::vector<std::string> addresses;
  std::vector<std::string> places;  // Keys: where a rank is.
  std::vector<std::string> words;   // Keys: that a rank has all it needs.
};

void Leave(TcpStore& store, Farewell farewell, int rank, const Names& names) {
  if (farewell == Farewell::kBarrier) return store.Barrier("done", kRanks);
  store.Set(names.words[static_cast<size_t>(rank)], "");
  if (rank == 0) store.Wait(names.words);
}

// The client and the server of production: every rank connects, joins, says where it is, hears
// where all others are, and leaves.
void RunRank(SimEnv& env, const Rendezvous& rendezvous, int rank, const Names& names) {
  if (rendezvous.start_interval > absl::ZeroDuration()) {
    env.SleepUntil(env.Now() + rank * rendezvous.start_interval);
  }
  TcpStoreOptions options;
  options.host = names.addresses[0];
  options.is_server = rank == 0;
  options.world_size = kRanks;
  TcpStore store(env, std::move(options));
  const std::string& place = names.addresses[static_cast<size_t>(rank)];
  store.Set(names.places[static_cast<size_t>(rank)], place);
  if (store.MultiGet(names.places) != names.addresses) std::abort();
  Leave(store, rendezvous.farewell, rank, names);
}

struct Totals {
  uint64_t steps = 0;
  absl::Duration virtual_time;
};

void RunRendezvousWorld(const Rendezvous& rendezvous, uint64_t seed, const Names& names,
                        Totals& totals) {
  World world({.seed = seed, .policy = rendezvous.policy});
  SimNet net(&world);
  std::vector<std::unique_ptr<SimEnv>> envs;
  envs.reserve(kRanks);
  for (int rank = 0; rank < kRanks; ++rank) {
    const size_t i = static_cast<size_t>(rank);
    net::Syscalls& kernel = net.AddHost(names.hosts[i], {names.addresses[i]});
    envs.push_back(std::make_unique<SimEnv>(&world, &kernel, SimProcess{.host = names.hosts[i]}));
    envs.back()->Start([&env = *envs.back(), &rendezvous, rank, &names] {
      RunRank(env, rendezvous, rank, names);
    });
  }
  if (const absl::Status run = world.Run(); !run.ok()) {
    std::fprintf(stderr, "%s\n", std::string(run.message()).c_str());
    std::abort();
  }
  totals.steps += world.steps();
  totals.virtual_time += world.elapsed();
}

void BenchRendezvousWorlds(const char* what, const Rendezvous& rendezvous) {
  constexpr int kWorlds = 2'000;
  const Names names;
  Totals totals;
  const double seconds = Best([&] {
    totals = {};
    for (int i = 0; i < kWorlds; ++i) {
      RunRendezvousWorld(rendezvous, static_cast<uint64_t>(i), names, totals);
    }
  });
  Report(what, kWorlds / seconds);
  const double steps = static_cast<double>(totals.steps);
  std::printf(
      "  %.1f us of processor time, %.0f turns (fiber switches and events), %s each\n",
      1e6 * seconds / kWorlds, steps / kWorlds,
      absl::FormatDuration(absl::Trunc(totals.virtual_time / kWorlds, absl::Microseconds(1)))
          .c_str());
  std::printf("  %.0f turns /s, virtual to real time %.0f : 1\n", steps / seconds,
              absl::ToDoubleSeconds(totals.virtual_time) / seconds);
}

}  // namespace
}  // namespace rollcall::fault

// With an argument: only the one of that number, from 1.
int main(int argc, char** argv) {
  using rollcall::fault::Farewell;
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
        rollcall::fault::BenchRendezvousWorlds("rendezvous of 16 over TCP, first come",
                                               {SchedulePolicy::kFifo});
      },
      [] {
        rollcall::fault::BenchRendezvousWorlds("rendezvous of 16 over TCP, at random",
                                               {SchedulePolicy::kRandom});
      },
      [] {
        rollcall::fault::BenchRendezvousWorlds(
            "the same, a rank every 20 ms",
            {.policy = SchedulePolicy::kRandom, .start_interval = absl::Milliseconds(20)});
      },
      [] {
        rollcall::fault::BenchRendezvousWorlds("rendezvous of 16 over TCP that ends in a barrier",
                                               {SchedulePolicy::kRandom, Farewell::kBarrier});
      },
  };
  const size_t only = argc > 1 ? static_cast<size_t>(std::atoi(argv[1])) : 0;
  for (size_t i = 0; i < benches.size(); ++i) {
    if (only == 0 || only == i + 1) benches[i]();
  }
}
