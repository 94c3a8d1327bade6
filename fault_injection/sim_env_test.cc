#include "fault_injection/sim_env.h"

#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "fault_injection/choice_record.h"
#include "fault_injection/determinism.h"
#include "fault_injection/world.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "net/monitor.h"
#include "net/syscalls.h"
#include "store/dist_error.h"
#include "store/error_code.h"
#include "store/hash_store.h"
#include "store/store.h"

namespace rollcall::fault {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

// A world with one process, which has no use for a network.
class SimEnvTest : public testing::Test {
 protected:
  void Restart(WorldOptions options) {
    env_.reset();
    world_.emplace(std::move(options));
    env_.emplace(&*world_, &net::RealSyscalls(),
                 SimProcess{.host = "w0", .environment = {{"RANK", "3"}}, .threads_max = 3});
  }
  void SetUp() override { Restart({}); }

  World& world() { return *world_; }
  SimEnv& env() { return *env_; }

 private:
  std::optional<World> world_;
  std::optional<SimEnv> env_;
};

TEST_F(SimEnvTest, ASleepOfFiveMinutesIsExact) {
  env().Start([&] { env().SleepUntil(env().Now() + absl::Minutes(5)); });
  EXPECT_TRUE(world().Run().ok());
  EXPECT_EQ(world().elapsed(), absl::Minutes(5));
}

TEST_F(SimEnvTest, AThreadIsJoinedByWhoeverHoldsIt) {
  env().Start([&] {
    std::unique_ptr<net::Thread> thread = env().StartThread("helper", [&] {
      EXPECT_EQ(world().current_actor(), "w0/helper");
      env().SleepUntil(env().Now() + absl::Seconds(3));
    });
    thread.reset();
    EXPECT_EQ(world().elapsed(), absl::Seconds(3));
    thread =
        env().StartThread("helper", [&] { EXPECT_EQ(world().current_actor(), "w0/helper#2"); });
  });
  EXPECT_TRUE(world().Run().ok());
}

TEST_F(SimEnvTest, ThreadsRunOut) {
  env().Start([&] {
    std::vector<std::unique_ptr<net::Thread>> threads;
    for (int i = 0; i < 3; ++i) threads.push_back(env().StartThread("helper", [] {}));
    EXPECT_EQ(env().StartThread("helper", [] {}), nullptr);
    threads.clear();
    EXPECT_NE(env().StartThread("helper", [] {}), nullptr);
  });
  EXPECT_TRUE(world().Run().ok());
}

TEST_F(SimEnvTest, AMonitorLetsOneInAtATime) {
  const std::unique_ptr<net::Monitor> monitor = env().NewMonitor();
  int inside = 0;
  int entries = 0;
  for (int i = 0; i < 8; ++i) {
    world().Spawn("t" + std::to_string(i), [&] {
      for (int turn = 0; turn < 20; ++turn) {
        net::MonitorLock lock(monitor.get());
        EXPECT_EQ(++inside, 1);
        env().SleepUntil(env().Now() + absl::Milliseconds(1));
        --inside;
        ++entries;
      }
    });
  }
  EXPECT_TRUE(world().Run().ok());
  EXPECT_EQ(entries, 160);
  EXPECT_EQ(world().elapsed(), absl::Milliseconds(160));
}

TEST_F(SimEnvTest, EverybodyWhoWaitsForTheLockGetsItInAnOrderOfTheChoices) {
  std::set<std::string> orders;
  for (uint64_t seed = 1; seed <= 100; ++seed) {
    Restart({.seed = seed});
    const std::unique_ptr<net::Monitor> monitor = env().NewMonitor();
    std::string order;
    env().Start([&] {
      net::MonitorLock lock(monitor.get());
      env().SleepUntil(env().Now() + absl::Seconds(1));
    });
    for (const char name : {'a', 'b', 'c'}) {
      world().At(world().Now() + absl::Milliseconds(name), "come", [&, name] {
        world().Spawn(std::string(1, name), [&, name] {
          net::MonitorLock lock(monitor.get());
          order += name;
        });
      });
    }
    EXPECT_TRUE(world().Run().ok());
    orders.insert(order);
  }
  EXPECT_EQ(orders.size(), 6u);
}

TEST_F(SimEnvTest, AWaitEndsWithANotificationOrExactlyAtTheDeadline) {
  const std::unique_ptr<net::Monitor> monitor = env().NewMonitor();
  env().Start([&] {
    net::MonitorLock lock(monitor.get());
    EXPECT_FALSE(monitor->WaitUntil(env().Now() + absl::Seconds(10)));
    EXPECT_EQ(world().elapsed(), absl::Seconds(10));
    EXPECT_TRUE(monitor->WaitUntil(env().Now() + absl::Seconds(10)));
    EXPECT_EQ(world().elapsed(), absl::Seconds(15));
  });
  world().At(world().Now() + absl::Seconds(15), "notify", [&] { monitor->NotifyAll(); });
  EXPECT_TRUE(world().Run().ok());
}

TEST_F(SimEnvTest, OneWhoIsNotifiedInTimeButGetsTheLockLateWasNotified) {
  const std::unique_ptr<net::Monitor> monitor = env().NewMonitor();
  env().Start([&] {
    net::MonitorLock lock(monitor.get());
    EXPECT_TRUE(monitor->WaitUntil(env().Now() + absl::Seconds(10)));
    EXPECT_EQ(world().elapsed(), absl::Seconds(60));
  });
  world().Spawn("holder", [&] {
    env().SleepUntil(env().Now() + absl::Seconds(9));
    net::MonitorLock lock(monitor.get());
    monitor->NotifyAll();
    env().SleepUntil(env().Now() + absl::Seconds(51));
  });
  EXPECT_TRUE(world().Run().ok());
}

TEST_F(SimEnvTest, ADeadlockIsNamedAtOnce) {
  Restart({.policy = SchedulePolicy::kFifo});
  const std::unique_ptr<net::Monitor> first = env().NewMonitor();
  const std::unique_ptr<net::Monitor> second = env().NewMonitor();
  const auto take = [&](net::Monitor* one, net::Monitor* other) {
    return [&, one, other] {
      net::MonitorLock lock(one);
      env().SleepUntil(env().Now() + absl::Seconds(1));
      net::MonitorLock other_lock(other);
    };
  };
  world().Spawn("a", take(first.get(), second.get()));
  world().Spawn("b", take(second.get(), first.get()));
  const absl::Status status = world().Run();
  EXPECT_THAT(std::string(status.message()),
              HasSubstr("  a: waits for monitor 2 of w0, held by b since +1s\n"
                        "  b: waits for monitor 1 of w0, held by a since +1s\n"));
  world().KillAll();
  EXPECT_THAT(world().abandoned(), ElementsAre("a", "b"));
}

TEST_F(SimEnvTest, AKilledWaiterLetsGoOfTheLock) {
  const std::unique_ptr<net::Monitor> monitor = env().NewMonitor();
  env().Start([&] {
    net::MonitorLock lock(monitor.get());
    for (;;) monitor->WaitUntil(absl::InfiniteFuture());
  });
  bool entered = false;
  world().Spawn("other", [&] {
    env().SleepUntil(env().Now() + absl::Seconds(1));
    net::MonitorLock lock(monitor.get());
    world().Kill("w0");  // Has to wait for the lock before it can end.
    EXPECT_EQ(world().Picture().find("w0: waits for") == std::string::npos, false);
    entered = true;
  });
  EXPECT_TRUE(world().Run().ok());
  EXPECT_TRUE(entered);
  EXPECT_THAT(world().abandoned(), IsEmpty());
}

TEST_F(SimEnvTest, RandomBitsAreOfTheSeedAndDifferEvenInADullReplay) {
  const auto draw = [this](WorldOptions options) {
    Restart(std::move(options));
    std::vector<uint64_t> bits;
    for (int i = 0; i < 3; ++i) bits.push_back(env().RandomBits());
    return bits;
  };
  EXPECT_EQ(draw({.seed = 4}), draw({.seed = 4}));
  EXPECT_NE(draw({.seed = 4}), draw({.seed = 5}));
  const std::vector<uint64_t> dull = draw({.replay = ChoiceRecord()});
  EXPECT_EQ(std::set<uint64_t>(dull.begin(), dull.end()).size(), 3u);
}

TEST_F(SimEnvTest, TheProcessIsWhatItWasStartedAs) {
  EXPECT_EQ(env().GetEnvironmentVariable("RANK"), "3");
  EXPECT_EQ(env().GetEnvironmentVariable("PATH"), std::nullopt);
  EXPECT_EQ(env().HostName(), "w0");
  EXPECT_EQ(env().ProcessId(), env().ProcessId());
  EXPECT_EQ(env().MaxListenBacklog(), 4096);
}

// --- A store of production on it ---

constexpr int kRanks = 8;

// Eight ranks meet in memory, one of them is late, and one waits for what never comes.
void RanksMeet(World& world) {
  SimEnv env(&world, &net::RealSyscalls(), {.host = "host"});
  HashStore store(env, absl::Minutes(5));
  std::vector<std::string> errors;
  env.Start([&] {
    std::vector<std::unique_ptr<net::Thread>> ranks;
    for (int rank = 0; rank < kRanks; ++rank) {
      ranks.push_back(env.StartThread("rank" + std::to_string(rank), [&, rank] {
        const std::unique_ptr<Store> own = store.Clone();
        if (rank == 3) env.SleepUntil(env.Now() + absl::Seconds(90));
        own->Add("arrived", 1);
        own->Set("rank" + std::to_string(rank), "here");
        std::vector<std::string> all;
        for (int other = 0; other < kRanks; ++other) all.push_back("rank" + std::to_string(other));
        own->Wait(all);
        EXPECT_EQ(world.elapsed(), absl::Seconds(90));
        own->Barrier("all", kRanks);
        EXPECT_EQ(own->Add("arrived", 0), kRanks);
        if (rank != 5) return;
        try {
          own->Wait({"never"});
        } catch (const DistStoreError& error) {
          errors.push_back(error.what());
          EXPECT_EQ(error.code(), ErrorCode::kWaitTimeout);
        }
      }));
    }
  });
  EXPECT_EQ(world.Run(), absl::OkStatus());
  EXPECT_EQ(world.elapsed(), absl::Seconds(390));
  EXPECT_EQ(errors.size(), 1u);
}

TEST(SimHashStoreTest, RanksMeetAndTimeOutsAreEqualities) {
  for (uint64_t seed = 1; seed <= 50; ++seed) {
    World world({.seed = seed});
    RanksMeet(world);
  }
}

TEST(SimHashStoreTest, EachRunOfASeedIsTheSame) {
  for (uint64_t seed = 1; seed <= 10; ++seed) {
    EXPECT_EQ(RunTwiceAndCompare({.seed = seed}, RanksMeet), absl::OkStatus());
  }
}

TEST(SimHashStoreTest, QueueOfManyPoppersGivesEachAValueOfItsOwn) {
  for (uint64_t seed = 1; seed <= 50; ++seed) {
    World world({.seed = seed});
    SimEnv env(&world, &net::RealSyscalls(), {.host = "host"});
    HashStore store(env);
    std::multiset<std::string> popped;
    env.Start([&] {
      std::vector<std::unique_ptr<net::Thread>> threads;
      for (int i = 0; i < 8; ++i) {
        threads.push_back(env.StartThread("popper", [&] { popped.insert(store.QueuePop("q")); }));
      }
      for (int i = 0; i < 8; ++i) store.QueuePush("q", std::to_string(i));
    });
    EXPECT_EQ(world.Run(), absl::OkStatus());
    EXPECT_THAT(popped, ElementsAre("0", "1", "2", "3", "4", "5", "6", "7"));
  }
}

TEST(DeterminismTest, TheFirstEventThatDiffersIsShownWithItsNeighbours) {
  int runs = 0;
  const absl::Status status =
      RunTwiceAndCompare({.policy = SchedulePolicy::kFifo}, [&runs](World& world) {
        world.Spawn("w0", [&] {
          world.Trace("one");
          world.Trace("two");
          world.Trace("count " + std::to_string(++runs));
          world.Trace("three");
        });
        EXPECT_TRUE(world.Run().ok());
      });
  EXPECT_EQ(status.message(),
            "two runs of seed 1 differ, from event 5 on (the first has 7, the second 7):\n"
            "  both   2: +0 w0 run \n"
            "  both   3: +0 w0 note one\n"
            "  both   4: +0 w0 note two\n"
            "  first  5: +0 w0 note count 1\n"
            "  first  6: +0 w0 note three\n"
            "  first  7: +0 w0 end \n"
            "  first  8: (nothing more)\n"
            "  second 5: +0 w0 note count 2\n"
            "  second 6: +0 w0 note three\n"
            "  second 7: +0 w0 end \n"
            "  second 8: (nothing more)\n");
}

}  // namespace
}  // namespace rollcall::fault
