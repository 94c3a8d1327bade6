// Posted work, stopping, and timers.
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "testing/event_loop_contract.h"

namespace rollcall {
namespace {

using net::Env;
using net::EventLoop;
using net::TimerId;

// What happened, in order.
class Diary {
 public:
  void Note(absl::string_view what) { notes_.emplace_back(what.data(), what.size()); }
  absl::AnyInvocable<void()> Noting(std::string what) {
    return [this, what = std::move(what)] { Note(what); };
  }
  std::string Text() const { return absl::StrJoin(notes_, " "); }

 private:
  std::vector<std::string> notes_;
};

// --- Post and Stop ---

TEST_P(EventLoopContract, RunsPostedWorkInOrderAndNotInsidePost) {
  WithLoop([](Env&, EventLoop& loop) {
    Diary diary;
    loop.Post([&] {
      loop.Post(diary.Noting("inner"));
      diary.Note("first");
    });
    loop.Post(diary.Noting("second"));
    loop.Post([&] { loop.Post([&] { loop.Stop(); }); });
    diary.Note("posted");
    loop.Run();
    EXPECT_EQ(diary.Text(), "posted first second inner");
  });
}

TEST_P(EventLoopContract, RunsWhatManyThreadsPostInTheOrderOfEach) {
  static constexpr int kThreads = 4;
  static constexpr int kPosts = 500;
  WithRunningLoop([](LoopScenario& scenario) {
    std::vector<std::vector<int>> heard(kThreads);
    {
      std::vector<std::unique_ptr<net::Thread>> threads;
      for (int who = 0; who < kThreads; ++who) {
        threads.push_back(scenario.StartThread([&scenario, &heard, who] {
          for (int i = 0; i < kPosts; ++i) {
            scenario.loop().Post([&heard, who, i] { heard[who].push_back(i); });
          }
        }));
      }
    }
    scenario.OnLoop([&] {
      for (const std::vector<int>& numbers : heard) {
        ASSERT_EQ(numbers.size(), kPosts);
        for (int i = 0; i < kPosts; ++i) EXPECT_EQ(numbers[i], i);
      }
    });
  });
}

TEST_P(EventLoopContract, WakesUpForEachPostThatComesWhileItSleeps) {
  WithRunningLoop([](LoopScenario& scenario) {
    for (int i = 0; i < 200; ++i) scenario.OnLoop([] {});
  });
}

TEST_P(EventLoopContract, StopsAfterWhatWasPostedBeforeAndKeepsWhatIsPostedAfter) {
  WithLoop([](Env&, EventLoop& loop) {
    Diary diary;
    loop.Post(diary.Noting("before"));
    loop.Stop();
    loop.Stop();
    loop.Post(diary.Noting("after"));
    loop.Run();
    EXPECT_EQ(diary.Text(), "before");
    loop.Stop();
    loop.Run();
    EXPECT_EQ(diary.Text(), "before after");
  });
}

TEST_P(EventLoopContract, IsStoppedFromAnotherThread) {
  WithLoop([](Env& env, EventLoop& loop) {
    const std::unique_ptr<net::Thread> stopper =
        env.StartThread("stopper", [&loop] { loop.Stop(); });
    loop.Run();
  });
}

TEST_P(EventLoopContract, IsStoppedByATimer) {
  WithLoop([](Env&, EventLoop& loop) {
    loop.RunAt(loop.Now() + absl::Milliseconds(2), [&] { loop.Stop(); });
    loop.Run();
  });
}

TEST_P(EventLoopContract, DestroysWorkThatItNeverRan) {
  const auto owned = std::make_shared<int>(0);
  WithLoop([&](Env&, EventLoop& loop) {
    loop.Post([owned] { FAIL() << "ran"; });
    loop.RunAt(loop.Now() + absl::Hours(1), [owned] { FAIL() << "ran"; });
    EXPECT_EQ(owned.use_count(), 3);
  });
  EXPECT_EQ(owned.use_count(), 1);
}

// --- Timers ---

TEST_P(EventLoopContract, RunsTimersByTimeAndThoseOfOneTimeByAge) {
  WithLoop([](Env&, EventLoop& loop) {
    Diary diary;
    const absl::Time start = loop.Now();
    loop.RunAt(start + absl::Milliseconds(9), [&] { loop.Stop(); });
    loop.RunAt(start + absl::Milliseconds(6), diary.Noting("3"));
    loop.RunAt(start + absl::Milliseconds(3), diary.Noting("1"));
    loop.RunAt(start + absl::Milliseconds(3), diary.Noting("2"));
    loop.RunAt(absl::InfinitePast(), diary.Noting("0"));
    loop.RunAt(absl::InfiniteFuture(), diary.Noting("never"));
    loop.Run();
    EXPECT_EQ(diary.Text(), "0 1 2 3");
  });
}

TEST_P(EventLoopContract, NeverRunsATimerEarly) {
  WithLoop([](Env& env, EventLoop& loop) {
    int left = 20;
    const auto check = [&](absl::Time when) {
      EXPECT_GE(loop.Now(), when);
      EXPECT_GE(env.Now(), when);
      EXPECT_LT(env.Now(), when + kPatience);
      if (--left == 0) loop.Stop();
    };
    for (int i = 0; i < 20; ++i) {
      const absl::Time when = loop.Now() + i * absl::Microseconds(333);
      loop.RunAt(when, [&check, when] { check(when); });
    }
    loop.Run();
  });
}

// A timer may come due while the loop is on its way into a wait, and must end that wait all the
// same.
TEST_P(EventLoopContract, MissesNoneOfManyShortTimers) {
  WithLoop([](Env&, EventLoop& loop) {
    int left = 500;
    std::function<void()> next = [&] {
      if (--left == 0) return loop.Stop();
      loop.RunAt(loop.Now() + absl::Milliseconds(1), next);
    };
    next();
    loop.Run();
    EXPECT_EQ(left, 0);
  });
}

TEST_P(EventLoopContract, DestroysTheWorkOfACancelledTimerAtOnce) {
  WithLoop([](Env&, EventLoop& loop) {
    const auto owned = std::make_shared<int>(0);
    const TimerId timer = loop.RunAt(loop.Now(), [owned] { FAIL() << "ran"; });
    EXPECT_NE(timer, 0u);
    EXPECT_EQ(owned.use_count(), 2);
    loop.CancelTimer(timer);
    EXPECT_EQ(owned.use_count(), 1);
    loop.CancelTimer(timer);
    loop.CancelTimer(0);
    loop.CancelTimer(timer + 1000);
    loop.RunAt(loop.Now() + absl::Milliseconds(2), [&] { loop.Stop(); });
    loop.Run();
  });
}

TEST_P(EventLoopContract, LetsATimerCancelItselfAndOthersThatAreDue) {
  WithLoop([](Env&, EventLoop& loop) {
    Diary diary;
    TimerId self = 0;
    TimerId other = 0;
    const absl::Time when = loop.Now();
    self = loop.RunAt(when, [&] {
      diary.Note("first");
      loop.CancelTimer(self);
      loop.CancelTimer(other);
    });
    other = loop.RunAt(when, diary.Noting("cancelled"));
    loop.RunAt(when, diary.Noting("last"));
    loop.RunAt(when, [&] { loop.Stop(); });
    loop.Run();
    EXPECT_EQ(diary.Text(), "first last");
  });
}

TEST_P(EventLoopContract, RunsATimerMadeInATimersWork) {
  WithLoop([](Env&, EventLoop& loop) {
    Diary diary;
    loop.RunAt(loop.Now(), [&] {
      loop.RunAt(absl::InfinitePast(), [&] {
        diary.Note("inner");
        loop.Stop();
      });
      diary.Note("outer");
    });
    loop.Run();
    EXPECT_EQ(diary.Text(), "outer inner");
  });
}

TEST_P(EventLoopContract, IsNotHeldUpByATimerOrAPostThatRenewsItself) {
  WithLoop([](Env&, EventLoop& loop) {
    int timer_rounds = 0;
    int post_rounds = 0;
    std::function<void()> on_timer = [&] {
      ++timer_rounds;
      loop.RunAt(absl::InfinitePast(), on_timer);
    };
    std::function<void()> on_post = [&] {
      if (++post_rounds > 100 && timer_rounds > 100) return loop.Stop();
      loop.Post(on_post);
    };
    on_timer();
    on_post();
    loop.Run();
    EXPECT_GT(timer_rounds, 100);
    EXPECT_GT(post_rounds, 100);
  });
}

TEST_P(EventLoopContract, TellsOneTimeThroughoutATurn) {
  WithLoop([](Env& env, EventLoop& loop) {
    loop.Post([&] {
      const absl::Time in_loop = loop.Now();
      env.SleepUntil(in_loop + absl::Microseconds(50));
      EXPECT_EQ(loop.Now(), in_loop);
      loop.Post([&, in_loop] {
        EXPECT_GE(loop.Now(), in_loop + absl::Microseconds(50));
        loop.Stop();
      });
    });
    loop.Run();
  });
}

}  // namespace
}  // namespace rollcall
