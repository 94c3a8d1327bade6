// What is chosen in a world, and chosen again.
#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "fault_injection/choice_record.h"
#include "fault_injection/trace.h"
#include "fault_injection/world.h"
#include "fault_injection/world_fixture.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace rollcall::fault {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

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
