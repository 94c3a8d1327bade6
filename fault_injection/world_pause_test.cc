// Hosts that stand still for a while, as under SIGSTOP.
#include <string>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "fault_injection/world.h"
#include "fault_injection/world_fixture.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace rollcall::fault {
namespace {

using testing::HasSubstr;

TEST(WorldPauseTest, ADeadlineThatPassesDuringAPauseIsSeenAfterIt) {
  World world;
  absl::Duration awake;
  world.Spawn("w1/thread", [&] {
    Sleep(world, absl::Seconds(1));
    awake = world.elapsed();
  });
  world.Spawn("w10", [&] { Sleep(world, absl::Seconds(2)); });  // Another host.
  world.Spawn("control", [&] {
    Sleep(world, absl::Milliseconds(500));
    world.Pause("w1");
    Sleep(world, absl::Seconds(10));
    world.Resume("w1");
  });
  EXPECT_EQ(world.Run(), absl::OkStatus());
  EXPECT_EQ(awake, absl::Milliseconds(10'500));
}

TEST(WorldPauseTest, AFiberThatPausesItsOwnHostGoesOnWhenAnotherResumesIt) {
  World world;
  absl::Duration awake;
  world.Spawn("w1", [&] {
    world.Pause("w1");
    awake = world.elapsed();
  });
  world.At(world.Now() + absl::Seconds(3), "resume", [&] { world.Resume("w1"); });
  EXPECT_EQ(world.Run(), absl::OkStatus());
  EXPECT_EQ(awake, absl::Seconds(3));
}

TEST(WorldPauseTest, APausedHostCanBeKilled) {
  World world;
  bool is_unwound = false;
  world.Spawn("w1", [&] {
    struct Unwound {
      bool& flag;
      ~Unwound() { flag = true; }
    } unwound{is_unwound};
    Sleep(world, absl::Seconds(1));
  });
  world.Spawn("control", [&] {
    Sleep(world, absl::Milliseconds(500));
    world.Pause("w1");
    Sleep(world, absl::Milliseconds(1500));
    world.Kill("w1");
  });
  EXPECT_EQ(world.Run(), absl::OkStatus());
  EXPECT_TRUE(is_unwound);
  EXPECT_EQ(world.elapsed(), absl::Seconds(2));
}

TEST(WorldPauseTest, AWorldInWhichAllAreStillIsStuckAndSaysWhy) {
  World world;
  world.Spawn("w1", [&] { world.Pause("w1"); });
  const absl::Status run = world.Run();
  EXPECT_EQ(run.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(run.message()), HasSubstr("w1: can run, but is paused"));
}

}  // namespace
}  // namespace rollcall::fault
