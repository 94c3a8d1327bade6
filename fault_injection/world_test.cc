#include "fault_injection/world.h"

#include <exception>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "fault_injection/choice_record.h"
#include "fault_injection/sanitizers.h"
#include "fault_injection/trace.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace rollcall::fault {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

#if defined(ROLLCALL_TSAN) || defined(ROLLCALL_ASAN)
constexpr int kManyFibers = 500;  // Their stacks take the sanitizers 2 to 10 ms each.
#else
constexpr int kManyFibers = 10'000;
#endif

WorldOptions Fifo() { return {.policy = SchedulePolicy::kFifo}; }
WorldOptions Seed(uint64_t seed) { return {.seed = seed}; }

void Sleep(World& world, absl::Duration duration) {
  const absl::Time until = world.Now() + duration;
  while (world.Now() < until) world.Block(until, "a sleep");
}

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

// --- Ends ---

// Notes in `ended` when its frame is unwound.
struct Notes {
  ~Notes() { ended.push_back(name); }
  std::vector<std::string>& ended;
  std::string name;
};

TEST(WorldTest, TheEndOfAWorldUnwindsWhatStillWaits) {
  std::vector<std::string> ended;
  {
    World world;
    world.SpawnDaemon("server/loop", [&] {
      Notes notes{ended, "loop"};
      for (;;) {
        try {
          world.Block(absl::InfiniteFuture(), "a connection");
        } catch (const std::exception&) {
        }
      }
    });
    world.Spawn("w0", [&] { Sleep(world, absl::Seconds(1)); });
    EXPECT_TRUE(world.Run().ok());
    EXPECT_THAT(ended, IsEmpty());
  }
  EXPECT_THAT(ended, ElementsAre("loop"));
}

TEST(WorldTest, AFiberThatNeverRanGoesWithWhatItOwns) {
  std::vector<std::string> ended;
  {
    World world;
    auto notes = std::make_unique<Notes>(Notes{ended, "body"});
    ended.clear();
    world.Spawn("w0", [notes = std::move(notes)] { FAIL(); });
  }
  EXPECT_THAT(ended, ElementsAre("body"));
}

TEST(WorldTest, KillEndsTheFibersOfOneHost) {
  World world(Fifo());
  std::vector<std::string> ended;
  const auto waits = [&](std::string name) {
    return [&, name] {
      Notes notes{ended, name};
      Sleep(world, absl::Seconds(10));
    };
  };
  world.Spawn("w1", waits("w1"));
  world.Spawn("w1/loop", waits("w1/loop"));
  world.Spawn("w10", waits("w10"));
  world.Spawn("plan", [&] {
    Sleep(world, absl::Seconds(1));
    world.Kill("w1");
    EXPECT_THAT(ended, ElementsAre("w1", "w1/loop"));
    EXPECT_EQ(world.elapsed(), absl::Seconds(1));
  });
  EXPECT_TRUE(world.Run().ok());
  EXPECT_THAT(ended, ElementsAre("w1", "w1/loop", "w10"));
  EXPECT_EQ(world.elapsed(), absl::Seconds(10));
}

TEST(WorldTest, AnEventKillsAHostBeforeAnybodyElseRuns) {
  World world(Fifo());
  std::vector<std::string> order;
  world.Spawn("w1", [&] {
    Notes notes{order, "w1 is gone"};
    Sleep(world, absl::Seconds(10));
  });
  world.At(world.Now() + absl::Seconds(1), "crash", [&] { world.Kill("w1"); });
  world.Spawn("w2", [&] {
    Sleep(world, absl::Seconds(1));
    order.push_back("w2 goes on");
  });
  EXPECT_TRUE(world.Run().ok());
  EXPECT_THAT(order, ElementsAre("w1 is gone", "w2 goes on"));
}

TEST(WorldTest, AKilledFiberStillJoinsWhatItsFramesOwn) {
  std::vector<std::string> ended;
  World world;
  world.Spawn("w1", [&] {
    const FiberId helper = world.Spawn("w1/helper", [&] {
      Notes notes{ended, "helper"};
      Sleep(world, absl::Hours(1));
    });
    struct Joins {
      ~Joins() { world.Join(helper); }
      World& world;
      FiberId helper;
    };
    Notes notes{ended, "main"};
    Joins joins{world, helper};
    Sleep(world, absl::Hours(1));
  });
  EXPECT_TRUE(world.RunUntil(world.Now() + absl::Seconds(1)).ok());
  world.Kill("w1");
  EXPECT_THAT(ended, ElementsAre("helper", "main"));
  EXPECT_THAT(world.abandoned(), IsEmpty());
}

TEST(WorldTest, AKilledFiberBeginsNothingNew) {
  World world;
  bool ran = false;
  world.Spawn("w1", [&] {
    struct SpawnsAsItGoes {
      ~SpawnsAsItGoes() {
        world.Join(world.Spawn("w1/late", [this] { ran = true; }));
      }
      World& world;
      bool& ran;
    };
    SpawnsAsItGoes spawns{world, ran};
    Sleep(world, absl::Hours(1));
  });
  EXPECT_TRUE(world.RunUntil(world.Now() + absl::Seconds(1)).ok());
  world.KillAll();
  EXPECT_FALSE(ran);
  EXPECT_THAT(world.abandoned(), IsEmpty());
}

TEST(WorldTest, AFiberKilledInADestructorDuringAnExceptionEnds) {
  std::vector<std::string> ended;
  World world;
  world.Spawn("w1", [&] {
    Notes notes{ended, "main"};
    struct SleepsAsItGoes {
      ~SleepsAsItGoes() { Sleep(world, absl::Hours(1)); }
      World& world;
    };
    SleepsAsItGoes sleeps{world};
    throw 1;
  });
  EXPECT_TRUE(world.RunUntil(world.Now() + absl::Seconds(1)).ok());
  world.KillAll();
  // It waits for a time that will not come, where nothing can be raised: it is given up.
  EXPECT_THAT(world.abandoned(), ElementsAre("w1"));
  EXPECT_THAT(ended, IsEmpty());
}

TEST(WorldTest, FibersThatWillNotEndAreAbandonedAndNamed) {
  World world(Fifo());
  world.Spawn("deaf", [&] {
    for (;;) {
      try {
        Sleep(world, absl::Hours(1));
      } catch (...) {
      }
    }
  });
  world.Spawn("noexcept", [&] { [&]() noexcept { Sleep(world, absl::Hours(1)); }(); });
  world.Spawn("good", [&] { Sleep(world, absl::Hours(1)); });
  EXPECT_TRUE(world.RunUntil(world.Now() + absl::Seconds(1)).ok());
  world.KillAll();
  EXPECT_THAT(world.abandoned(), ElementsAre("deaf", "noexcept"));
}

// --- The code around a world as a fiber ---

TEST(CallerFiberTest, ATestMayBlockInItsOwnBody) {
  World world;
  std::vector<std::string> seen;
  CallerFiber test(&world, "test");
  EXPECT_EQ(world.current_actor(), "test");
  const FiberId other = world.Spawn("w0", [&] {
    Sleep(world, absl::Seconds(2));
    seen.push_back("w0");
  });
  Sleep(world, absl::Seconds(1));
  EXPECT_EQ(world.elapsed(), absl::Seconds(1));
  EXPECT_THAT(seen, IsEmpty());
  world.Join(other);
  EXPECT_EQ(world.elapsed(), absl::Seconds(2));
  EXPECT_THAT(seen, ElementsAre("w0"));
}

TEST(CallerFiberTest, ComesAndGoes) {
  World world;
  bool done = false;
  { const CallerFiber unused(&world, "idle"); }
  {
    const CallerFiber test(&world, "test");
    world.Spawn("w0", [&] {
      Sleep(world, absl::Seconds(2));
      done = true;
    });
    Sleep(world, absl::Seconds(1));
  }
  EXPECT_FALSE(done);
  EXPECT_TRUE(world.Run().ok());
  EXPECT_TRUE(done);
  EXPECT_EQ(world.elapsed(), absl::Seconds(2));
}

TEST(CallerFiberTest, AFailureIsRaisedInTheTestOnceTheOthersHaveEnded) {
  std::vector<std::string> ended;
  World world;
  CallerFiber test(&world, "test");
  const FiberId other = world.Spawn("w0", [&] {
    Notes notes{ended, "w0"};
    world.Block(absl::InfiniteFuture(), "key /a");
  });
  try {
    struct Joins {
      ~Joins() { world.Join(other); }
      World& world;
      FiberId other;
    };
    Joins joins{world, other};
    world.Block(absl::InfiniteFuture(), "key /b");
    FAIL() << "a stuck world went on";
  } catch (const WorldFailed& failure) {
    EXPECT_THAT(failure.what(), HasSubstr("is stuck"));
    EXPECT_THAT(failure.what(), HasSubstr("test: waits for key /b since +0"));
    EXPECT_THAT(failure.what(), HasSubstr("w0: waits for key /a since +0"));
  }
  EXPECT_THAT(ended, ElementsAre("w0"));
}

TEST(CallerFiberTest, AnExceptionOfAnotherFiberEndsTheTest) {
  World world;
  CallerFiber test(&world, "test");
  world.Spawn("w0", [] { throw std::runtime_error("no such rank"); });
  EXPECT_THROW(Sleep(world, absl::Seconds(1)), WorldFailed);
}

// --- Choices ---

// Ten fibers that meet by chance: the order in which they write.
std::string Mingle(World& world) {
  std::string order;
  for (char name = 'a'; name < 'k'; ++name) {
    world.Spawn(std::string(1, name), [&world, &order, name] {
      for (int i = 0; i < 5; ++i) {
        order += name;
        Sleep(world, absl::Milliseconds(world.Choose("pause", 4)));
        world.Yield("between");
      }
    });
  }
  EXPECT_TRUE(world.Run().ok());
  return order;
}

TEST(WorldTest, EqualSeedsAreEqualRuns) {
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    World first(Seed(seed));
    World second(Seed(seed));
    EXPECT_EQ(Mingle(first), Mingle(second));
    EXPECT_EQ(first.fingerprint(), second.fingerprint());
    EXPECT_EQ(first.choices(), second.choices());
  }
}

TEST(WorldTest, DifferentSeedsAreDifferentRuns) {
  std::set<std::string> orders;
  std::set<uint64_t> fingerprints;
  for (uint64_t seed = 1; seed <= 50; ++seed) {
    World world(Seed(seed));
    orders.insert(Mingle(world));
    fingerprints.insert(world.fingerprint());
  }
  EXPECT_EQ(orders.size(), 50u);
  EXPECT_EQ(fingerprints.size(), 50u);
}

TEST(WorldTest, FirstComeFirstServedRecordsNoSchedule) {
  World world({.policy = SchedulePolicy::kFifo});
  std::string order;
  for (char name = 'a'; name < 'k'; ++name) {
    world.Spawn(std::string(1, name), [&, name] {
      order += name;
      world.Yield("between");
      order += name;
    });
  }
  EXPECT_TRUE(world.Run().ok());
  EXPECT_EQ(order, "aabbccddeeffgghhiijj");
  EXPECT_THAT(world.choices(), IsEmpty());
}

TEST(WorldTest, ARecordReplaysTheRun) {
  World explored(Seed(77));
  const std::string order = Mingle(explored);
  const std::string text = ToText(explored.choices());
  World replayed({.replay = *ChoiceRecordFromText(text)});
  EXPECT_EQ(Mingle(replayed), order);
  EXPECT_EQ(replayed.fingerprint(), explored.fingerprint());
  EXPECT_EQ(ToText(replayed.choices()), text);
}

TEST(WorldTest, AnEmptyReplayIsTheDullRun) {
  World dull({.replay = ChoiceRecord()});
  EXPECT_EQ(Mingle(dull), "aaaaabbbbbcccccdddddeeeeefffffggggghhhhhiiiiijjjjj");
}

TEST(WorldTest, AnActorsChoicesDoNotHangOnWhatOthersDo) {
  const auto choices_of_b = [](bool a_also_chooses) {
    World world(Seed(5));
    std::vector<uint64_t> values;
    world.Spawn("a", [&] {
      for (int i = 0; a_also_chooses && i < 3; ++i) world.Choose("dice", 1000);
    });
    world.Spawn("b", [&] {
      for (int i = 0; i < 5; ++i) values.push_back(world.Choose("dice", 1000));
    });
    EXPECT_TRUE(world.Run().ok());
    return values;
  };
  EXPECT_EQ(choices_of_b(false), choices_of_b(true));
}

TEST(WorldTest, EventsOfOneMomentComeInAnyOrder) {
  std::set<std::string> orders;
  for (uint64_t seed = 1; seed <= 200; ++seed) {
    World world(Seed(seed));
    std::string order;
    for (const char name : {'a', 'b', 'c'}) {
      world.At(world.Now() + absl::Seconds(1), "write", [&order, name] { order += name; });
    }
    world.Spawn("w0", [&] { Sleep(world, absl::Seconds(2)); });
    EXPECT_TRUE(world.Run().ok());
    orders.insert(order);
  }
  EXPECT_EQ(orders.size(), 6u);
}

TEST(WorldTest, TheTraceTellsWhatHappened) {
  TraceLog log;
  World world({.policy = SchedulePolicy::kFifo, .trace = &log});
  world.Spawn("w0", [&] {
    world.Block(world.Now() + absl::Seconds(2), "a key");
    world.Trace("gives up");
  });
  EXPECT_TRUE(world.Run().ok());
  EXPECT_THAT(log.lines(),
              ElementsAre("+0 w0 spawn 1", "+0 w0 run ", "+0 w0 block a key", "+2s w0 run deadline",
                          "+2s w0 note gives up", "+2s w0 end "));
}

}  // namespace
}  // namespace rollcall::fault
