#include "fault_injection/runnable.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <vector>

#include "absl/time/time.h"
#include "fault_injection/stable_hash.h"
#include "gtest/gtest.h"

namespace rollcall::fault {
namespace {

absl::Time At(int64_t ms) { return absl::FromUnixMillis(ms); }

class TimerQueueScenario : public testing::Test {
 protected:
  Runnable& Set(int64_t ms, bool is_fiber = false) {
    Runnable& runnable = runnables_.emplace_back(is_fiber);
    timers_.Push(runnable, At(ms));
    return runnable;
  }
  // All that are left, in the order in which they come.
  std::vector<const Runnable*> Rest() {
    std::vector<const Runnable*> rest;
    while (!timers_.empty()) {
      const absl::Time earliest = timers_.earliest();
      const Runnable& next = timers_.PopEarliest();
      EXPECT_EQ(next.when, earliest);
      rest.push_back(&next);
    }
    return rest;
  }

  std::deque<Runnable> runnables_;
  TimerQueue timers_;
};

TEST_F(TimerQueueScenario, EarliestComesFirstAndOfOneTimeTheOneThatWasSetFirst) {
  const Runnable& late = Set(9);
  const Runnable& early = Set(1, /*is_fiber=*/true);
  const Runnable& middle = Set(5);
  const Runnable& middle_too = Set(5, /*is_fiber=*/true);
  EXPECT_EQ(Rest(), (std::vector<const Runnable*>{&early, &middle, &middle_too, &late}));
}

TEST_F(TimerQueueScenario, WhoIsTakenOutDoesNotCome) {
  Runnable& first = Set(1);
  const Runnable& second = Set(2);
  Runnable& third = Set(3);
  timers_.Remove(first);
  timers_.Remove(third);
  timers_.Remove(third);
  EXPECT_EQ(Rest(), (std::vector<const Runnable*>{&second}));
}

TEST_F(TimerQueueScenario, WhoCameMayBeSetAgain) {
  Runnable& one = Set(1);
  EXPECT_EQ(&timers_.PopEarliest(), &one);
  timers_.Push(one, At(2));
  EXPECT_EQ(timers_.earliest(), At(2));
  EXPECT_EQ(Rest(), (std::vector<const Runnable*>{&one}));
}

// Times that fall fit into no line; gaps in the middle of a line are closed.
TEST_F(TimerQueueScenario, OrderHoldsWhateverTheTimesAndTheRemovals) {
  uint64_t draw = 1;
  const auto below = [&draw](uint64_t n) { return (draw = HashCombine(draw, n)) % n; };
  std::vector<Runnable*> waiting;
  for (int round = 0; round < 3000; ++round) {
    if (waiting.size() > 40 && below(2) == 0) {
      const auto removed = waiting.begin() + static_cast<std::ptrdiff_t>(below(waiting.size()));
      timers_.Remove(**removed);
      waiting.erase(removed);
    } else {
      waiting.push_back(&Set(static_cast<int64_t>(below(100)), below(2) == 0));
    }
  }
  std::stable_sort(waiting.begin(), waiting.end(),
                   [](const Runnable* a, const Runnable* b) { return a->when < b->when; });
  EXPECT_EQ(Rest(), std::vector<const Runnable*>(waiting.begin(), waiting.end()));
}

TEST(ReadyQueue, WithoutChoicesItIsFirstComeFirstServed) {
  ReadyQueue ready(/*choices=*/nullptr);
  std::deque<Runnable> runnables;
  for (int i = 0; i < 4; ++i) ready.Push(runnables.emplace_back(/*fiber=*/true));
  ready.Remove(runnables[1]);
  ready.Remove(runnables[3]);
  EXPECT_EQ(ready.Pop(), &runnables[0]);
  ready.Push(runnables[1]);
  EXPECT_EQ(ready.Pop(), &runnables[2]);
  EXPECT_EQ(ready.Pop(), &runnables[1]);
  EXPECT_EQ(ready.Pop(), nullptr);
  EXPECT_TRUE(ready.empty());
}

// Each with a site of its own, as fibers of different actors have.
class RandomReadyScenario : public testing::Test {
 protected:
  void Push(Runnable& runnable) {
    runnable.schedule_site = &choices_.SiteOf(actor_, "turn");
    runnable.turn = ++turns_;
    ready_.Push(runnable);
  }

  Choices choices_{{.seed = 7, .replay = {}}};
  Choices::Actor actor_{"w0"};
  uint64_t turns_ = 0;
  ReadyQueue ready_{&choices_};
};

TEST_F(RandomReadyScenario, EachComesOnceUnlessItWasTakenOut) {
  std::deque<Runnable> runnables;
  for (int i = 0; i < 50; ++i) Push(runnables.emplace_back(/*fiber=*/true));
  std::vector<const Runnable*> expected;
  for (size_t i = 0; i < runnables.size(); ++i) {
    if (i % 5 == 0) {
      ready_.Remove(runnables[i]);
    } else {
      expected.push_back(&runnables[i]);
    }
  }
  Push(runnables[0]);
  expected.push_back(&runnables[0]);
  std::vector<const Runnable*> came;
  while (const Runnable* const next = ready_.Pop()) came.push_back(next);
  EXPECT_NE(came, expected);  // A draw that leaves all fifty where they are would be a wonder.
  std::sort(came.begin(), came.end());
  std::sort(expected.begin(), expected.end());
  EXPECT_EQ(came, expected);
}

}  // namespace
}  // namespace rollcall::fault
