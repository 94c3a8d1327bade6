// How worlds, hosts and fibers end, and the code around a world.
#include <exception>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "fault_injection/world.h"
#include "fault_injection/world_fixture.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace rollcall::fault {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

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

}  // namespace
}  // namespace rollcall::fault
