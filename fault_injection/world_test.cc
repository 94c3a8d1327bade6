#include "fault_injection/world.h"

#include <cstdint>
#include <exception>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "fault_injection/sanitizers.h"
#include "fault_injection/world_fixture.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace rollcall::fault {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

#if defined(ROLLCALL_TSAN) || defined(ROLLCALL_ASAN)
constexpr int kManyFibers = 500;  // Their stacks take the sanitizers 2 to 10 ms each.
#else
constexpr int kManyFibers = 10'000;
#endif

// --- Time ---

TEST(WorldTest, TimeIsExactAndCostsNothing) {
  World world;
  world.Spawn("w0", [&] { Sleep(world, absl::Seconds(300)); });
  EXPECT_TRUE(world.Run().ok());
  EXPECT_EQ(world.elapsed(), absl::Seconds(300));
}

TEST(WorldTest, TimeStandsStillWhileAnybodyCanRun) {
  World world;
  for (int i = 0; i < 10; ++i) {
    world.Spawn("w", [&] {
      for (int turn = 0; turn < 100; ++turn) world.Block(world.Now(), "the others");
    });
  }
  EXPECT_TRUE(world.Run().ok());
  EXPECT_EQ(world.elapsed(), absl::ZeroDuration());
}

TEST(WorldTest, EventsRunAtTheirTimeOutsideEveryFiber) {
  World world(Fifo());
  std::vector<std::string> seen;
  const auto note = [&](std::string what) {
    seen.push_back(what + " +" + absl::FormatDuration(world.elapsed()) + " " +
                   world.current_actor());
  };
  world.Spawn("w0", [&] {
    world.At(world.Now() + absl::Seconds(2), "late", [&] { note("late"); });
    world.At(world.Now() + absl::Seconds(1), "early", [&] { note("early"); });
    const EventId cancelled =
        world.At(world.Now() + absl::Seconds(1), "never", [&] { note("never"); });
    world.Cancel(cancelled);
    world.Cancel(cancelled);
    Sleep(world, absl::Seconds(3));
    note("fiber");
  });
  EXPECT_TRUE(world.Run().ok());
  EXPECT_THAT(seen, ElementsAre("early +1s world", "late +2s world", "fiber +3s w0"));
}

TEST(WorldTest, ARunStopsAtATimeAndGoesOnFromThere) {
  World world;
  bool done = false;
  FiberId waits = 0;
  waits = world.Spawn("w0", [&] { done = world.Block(absl::InfiniteFuture(), "the test"); });
  EXPECT_TRUE(world.RunUntil(world.Now() + absl::Seconds(5)).ok());
  EXPECT_EQ(world.elapsed(), absl::Seconds(5));
  EXPECT_FALSE(done);
  world.Unblock(waits);
  EXPECT_TRUE(world.Run().ok());
  EXPECT_TRUE(done);
  EXPECT_EQ(world.elapsed(), absl::Seconds(5));
}

// --- Blocking ---

TEST(WorldTest, BlockSaysWhichCameFirst) {
  World world(Fifo());
  std::vector<bool> unblocked;
  const FiberId waits = world.Spawn("w0", [&] {
    unblocked.push_back(world.Block(world.Now() + absl::Seconds(10), "w1"));
    unblocked.push_back(world.Block(world.Now() + absl::Seconds(10), "w1"));
  });
  world.Spawn("w1", [&] {
    Sleep(world, absl::Seconds(4));
    world.Unblock(waits);
  });
  EXPECT_TRUE(world.Run().ok());
  EXPECT_THAT(unblocked, ElementsAre(true, false));
  EXPECT_EQ(world.elapsed(), absl::Seconds(14));
}

TEST(WorldTest, AnUnblockAtTheVeryMomentOfTheDeadlineIsNotLost) {
  // Whichever of the two the choices let come first, the fiber was called.
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    World world(Seed(seed));
    bool unblocked = false;
    const FiberId waits = world.Spawn("w0", [&] {
      unblocked = world.Block(world.Now() + absl::Seconds(1), "an event");
      Sleep(world, absl::Seconds(1));
    });
    bool was_waiting = false;
    world.At(world.Now() + absl::Seconds(1), "call", [&] {
      was_waiting = !unblocked && world.Picture().find("can run") != std::string::npos;
      world.Unblock(waits);
    });
    EXPECT_TRUE(world.Run().ok());
    EXPECT_EQ(unblocked, was_waiting);
    EXPECT_EQ(world.elapsed(), absl::Seconds(2));
  }
}

TEST(WorldTest, JoinWaitsForTheEnd) {
  World world;
  absl::Duration joined_at;
  world.Spawn("w0", [&] {
    const FiberId other = world.Spawn("w0/helper", [&] { Sleep(world, absl::Seconds(7)); });
    world.Join(other);
    world.Join(other);
    joined_at = world.elapsed();
    EXPECT_FALSE(world.IsAlive(other));
  });
  EXPECT_TRUE(world.Run().ok());
  EXPECT_EQ(joined_at, absl::Seconds(7));
}

TEST(WorldTest, TenThousandFibersAtOnce) {
  World world;
  int awake = 0;
  for (int i = 0; i < kManyFibers; ++i) {
    world.Spawn("w" + std::to_string(i), [&] {
      Sleep(world, absl::Seconds(1));
      ++awake;
    });
  }
  EXPECT_TRUE(world.Run().ok());
  EXPECT_EQ(awake, kManyFibers);
  EXPECT_EQ(world.elapsed(), absl::Seconds(1));
}

TEST(WorldTest, ExceptionsInFlightAndBeingHandledCrossASwitch) {
  World world;
  int right = 0;
  for (int i = 0; i < 50; ++i) {
    world.Spawn("w" + std::to_string(i), [&, i] {
      struct SleepsAsItGoes {
        ~SleepsAsItGoes() { Sleep(world, absl::Milliseconds(3)); }
        World& world;
      };
      try {
        SleepsAsItGoes sleeps{world};
        throw std::runtime_error(std::to_string(i));
      } catch (const std::exception& error) {
        Sleep(world, absl::Milliseconds(i % 7));
        if (error.what() == std::to_string(i) && std::uncaught_exceptions() == 0) ++right;
      }
    });
  }
  EXPECT_TRUE(world.Run().ok());
  EXPECT_EQ(right, 50);
}

// --- Failures ---

TEST(WorldTest, AStuckWorldSaysWhoWaitsForWhatSinceWhen) {
  World world(Fifo());
  world.SpawnDaemon("server/loop", [&] { world.Block(absl::InfiniteFuture(), "a connection"); });
  world.Spawn("w3", [&] {
    Sleep(world, absl::Milliseconds(1500));
    world.Block(absl::InfiniteFuture(), "key /a from server:29500");
  });
  const absl::Status status = world.Run();
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(
      status.message(),
      "the world is stuck: nothing can run, and no timer or event is left (at +1.5s, seed 1)\n"
      "  server/loop (daemon): waits for a connection since +0\n"
      "  w3: waits for key /a from server:29500 since +1.5s\n");
  EXPECT_EQ(world.elapsed(), absl::Milliseconds(1500));
}

TEST(WorldTest, AWorldThatNeverComesToAnEndIsStoppedByTime) {
  World world({.time_max = absl::Hours(2)});
  world.Spawn("w0", [&] {
    for (;;) Sleep(world, absl::Minutes(1));
  });
  const absl::Status status = world.Run();
  EXPECT_EQ(status.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_THAT(std::string(status.message()), HasSubstr("longer than 2h"));
}

TEST(WorldTest, AWorldThatGoesRoundAtOneMomentIsStoppedBySteps) {
  World world({.steps_max = 1000});
  world.Spawn("w0", [&] {
    for (;;) world.Block(world.Now(), "nothing");
  });
  const absl::Status status = world.Run();
  EXPECT_EQ(status.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_THAT(std::string(status.message()), HasSubstr("1000 steps"));
}

TEST(WorldTest, AnExceptionThatLeavesAFiberEndsTheRun) {
  World world;
  world.Spawn("w5/main", [&] {
    Sleep(world, absl::Seconds(1));
    throw std::runtime_error("no such rank");
  });
  world.Spawn("w6", [&] { Sleep(world, absl::Seconds(9)); });
  const absl::Status status = world.Run();
  EXPECT_EQ(status.code(), absl::StatusCode::kInternal);
  EXPECT_THAT(std::string(status.message()), HasSubstr("w5/main raised: no such rank"));
  EXPECT_EQ(world.elapsed(), absl::Seconds(1));
}

TEST(WorldDeathTest, ACallFromAnotherThreadEndsTheProcess) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  World world;
  EXPECT_DEATH(std::thread([&] { world.Now(); }).join(), "OS thread that is not its own");
}

TEST(WorldDeathTest, BlockingOutsideEveryFiberEndsTheProcess) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  World world;
  EXPECT_DEATH(world.Block(absl::InfiniteFuture(), "a key"),
               "outside every fiber, waiting for a key");
}

}  // namespace
}  // namespace rollcall::fault
