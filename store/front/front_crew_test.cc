#include "store/front/front_crew.h"

#include <atomic>
#include <memory>
#include <vector>

#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "net/env.h"
#include "net/monitor.h"
#include "net/real_env.h"

namespace rollcall::front {
namespace {

// A door that tasks wait at.
class Door {
 public:
  void Pass() {
    net::MonitorLock lock(monitor_.get());
    ++waiting_;
    monitor_->NotifyAll();
    while (!open_) monitor_->WaitUntil(absl::InfiniteFuture());
  }
  void AwaitWaiting(int tasks) {
    net::MonitorLock lock(monitor_.get());
    while (waiting_ < tasks) monitor_->WaitUntil(absl::InfiniteFuture());
  }
  void Open() {
    net::MonitorLock lock(monitor_.get());
    open_ = true;
    monitor_->NotifyAll();
  }

 private:
  const std::unique_ptr<net::Monitor> monitor_ = net::RealEnv().NewMonitor();
  int waiting_ = 0;
  bool open_ = false;
};

class FrontCrewTest : public testing::Test {
 protected:
  static constexpr absl::Duration kPatience = absl::Seconds(60);

  net::Env& env_ = net::RealEnv();
};

TEST_F(FrontCrewTest, TasksThatWaitAreDoneSideBySideUpToTheBound) {
  Door door;
  FrontCrew crew(env_, 3);
  ASSERT_TRUE(crew.Begin());
  std::atomic<int> begun = 0;
  for (int i = 0; i < 5; ++i) {
    crew.Add([&] {
      ++begun;
      door.Pass();
    });
  }
  EXPECT_EQ(begun, 0);
  crew.Wake();
  door.AwaitWaiting(3);
  EXPECT_FALSE(crew.AwaitIdle(env_.Now()));
  EXPECT_EQ(begun, 3);
  door.Open();
  EXPECT_TRUE(crew.AwaitIdle(env_.Now() + kPatience));
  EXPECT_EQ(begun, 5);
}

TEST_F(FrontCrewTest, OfOneThreadTasksAreDoneInOrderThoseOfTasksToo) {
  FrontCrew crew(env_, 1);
  ASSERT_TRUE(crew.Begin());
  std::vector<int> done;
  for (int i = 0; i < 100; ++i) {
    crew.Add([&, i] {
      done.push_back(i);
      crew.Add([&, i] { done.push_back(100 + i); });
      crew.Wake();
    });
    if (i % 7 == 0) crew.Wake();
  }
  crew.Wake();
  ASSERT_TRUE(crew.AwaitIdle(env_.Now() + kPatience));
  EXPECT_EQ(done.size(), 200u);
  int last_of_tasks = -1;
  int last = -1;
  for (const int i : done) {
    int& before = i < 100 ? last : last_of_tasks;
    EXPECT_LT(before, i);
    before = i;
  }
}

TEST_F(FrontCrewTest, TheEndWaitsForWhatHasBegunAndNothingBeginsAfterIt) {
  Door door;
  std::atomic<int> done = 0;
  FrontCrew crew(env_, 1);
  ASSERT_TRUE(crew.Begin());
  crew.Add([&] {
    door.Pass();
    ++done;
  });
  crew.Add([&] { ++done; });
  crew.Wake();
  door.AwaitWaiting(1);
  const std::unique_ptr<net::Thread> stopper = env_.StartThread("stop", [&] { door.Open(); });
  crew.Stop();
  EXPECT_GE(done, 1);
  const int at_the_end = done;
  crew.Add([&] { ++done; });
  crew.Wake();
  EXPECT_EQ(done, at_the_end);
}

}  // namespace
}  // namespace rollcall::front
