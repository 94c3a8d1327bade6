#include "net/timer_queue.h"

#include <memory>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "gtest/gtest.h"

namespace rollcall::net {
namespace {

const absl::Time kStart = absl::FromUnixSeconds(1'000'000);

TEST(TimerQueue, RunsWhatIsDueByTimeAndThenByAge) {
  TimerQueue timers;
  std::vector<int> ran;
  timers.Add(kStart + absl::Seconds(2), [&] { ran.push_back(3); });
  timers.Add(kStart + absl::Seconds(1), [&] { ran.push_back(1); });
  timers.Add(kStart + absl::Seconds(1), [&] { ran.push_back(2); });
  EXPECT_EQ(timers.NextDeadline(), kStart + absl::Seconds(1));
  timers.RunDue(kStart + absl::Milliseconds(999));
  EXPECT_TRUE(ran.empty());
  timers.RunDue(kStart + absl::Seconds(1));
  EXPECT_EQ(ran, (std::vector<int>{1, 2}));
  EXPECT_EQ(timers.NextDeadline(), kStart + absl::Seconds(2));
  timers.RunDue(absl::InfiniteFuture());
  EXPECT_EQ(ran, (std::vector<int>{1, 2, 3}));
  EXPECT_TRUE(timers.empty());
  EXPECT_EQ(timers.NextDeadline(), absl::InfiniteFuture());
}

TEST(TimerQueue, KeepsTimersMadeMeanwhileForTheNextTimeYetRunsTheOlderOnesBehindThem) {
  TimerQueue timers;
  std::vector<int> ran;
  timers.Add(kStart, [&] {
    ran.push_back(1);
    timers.Add(kStart, [&] { ran.push_back(3); });
  });
  timers.Add(kStart + absl::Seconds(1), [&] { ran.push_back(2); });
  timers.RunDue(kStart + absl::Seconds(1));
  EXPECT_EQ(ran, (std::vector<int>{1, 2}));
  timers.RunDue(kStart);
  EXPECT_EQ(ran, (std::vector<int>{1, 2, 3}));
}

TEST(TimerQueue, DestroysCancelledWorkThatCancelsInItsTurn) {
  TimerQueue timers;
  const TimerId inner = timers.Add(kStart, [] { FAIL(); });
  std::shared_ptr<void> owned(new int, [&](void* number) {
    delete static_cast<int*>(number);
    timers.Cancel(inner);
  });
  const TimerId outer = timers.Add(kStart, [owned = std::move(owned)] { FAIL(); });
  timers.Cancel(outer);
  EXPECT_TRUE(timers.empty());
}

TEST(TimerQueue, ClearsWithoutRunning) {
  TimerQueue timers;
  const auto owned = std::make_shared<int>(0);
  for (int i = 0; i < 10; ++i) timers.Add(kStart, [owned] { FAIL(); });
  timers.Clear();
  EXPECT_TRUE(timers.empty());
  EXPECT_EQ(owned.use_count(), 1);
}

}  // namespace
}  // namespace rollcall::net
