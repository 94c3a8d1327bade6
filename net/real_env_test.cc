#include "net/real_env.h"

#include <pthread.h>
#include <unistd.h>

#include <memory>
#include <set>
#include <string>

#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "net/env.h"
#include "net/monitor.h"

namespace rollcall::net {
namespace {

TEST(RealEnvTest, TheClockReadsLikeTheWallClockAndNeverGoesBack) {
  EXPECT_LT(absl::AbsDuration(RealEnv().Now() - absl::Now()), absl::Hours(1));
  absl::Time last = RealEnv().Now();
  for (int i = 0; i < 10'000; ++i) {
    const absl::Time now = RealEnv().Now();
    ASSERT_GE(now, last);
    last = now;
  }
}

TEST(RealEnvTest, ADeadlineAfterAnInfiniteTimeOutIsNever) {
  EXPECT_EQ(DeadlineAfter(RealEnv(), absl::InfiniteDuration()), absl::InfiniteFuture());
  EXPECT_GE(DeadlineAfter(RealEnv(), absl::Seconds(1)), RealEnv().Now());
}

TEST(RealEnvTest, SleepingEndsNotBeforeTheDeadline) {
  const absl::Time deadline = RealEnv().Now() + absl::Microseconds(1500);
  RealEnv().SleepUntil(deadline);
  EXPECT_GE(RealEnv().Now(), deadline);
  RealEnv().SleepUntil(absl::InfinitePast());
}

TEST(RealEnvTest, AThreadHasItsNameAndIsJoined) {
  std::string name(16, '\0');
  std::unique_ptr<Thread> thread = RealEnv().StartThread("a name that is too long", [&] {
    pthread_getname_np(pthread_self(), name.data(), name.size());
  });
  thread = nullptr;
  EXPECT_STREQ(name.c_str(), "a name that is ");
}

TEST(RealEnvTest, AMonitorHandsValuesToAnotherThread) {
  const std::unique_ptr<Monitor> monitor = RealEnv().NewMonitor();
  int value = 0;
  const std::unique_ptr<Thread> setter = RealEnv().StartThread("setter", [&] {
    MonitorLock lock(monitor.get());
    value = 1;
    monitor->NotifyAll();
  });
  MonitorLock lock(monitor.get());
  while (value == 0) monitor->WaitUntil(absl::InfiniteFuture());
  EXPECT_EQ(value, 1);
}

TEST(RealEnvTest, AMonitorWaitsUntilTheDeadline) {
  const std::unique_ptr<Monitor> monitor = RealEnv().NewMonitor();
  MonitorLock lock(monitor.get());
  const absl::Time deadline = RealEnv().Now() + absl::Microseconds(1500);
  while (monitor->WaitUntil(deadline)) {
  }
  EXPECT_GE(RealEnv().Now(), deadline);
  EXPECT_FALSE(monitor->WaitUntil(absl::InfinitePast()));
}

TEST(RealEnvTest, RandomBitsDiffer) {
  std::set<uint64_t> seen;
  for (int i = 0; i < 100; ++i) seen.insert(RealEnv().RandomBits());
  EXPECT_EQ(seen.size(), 100u);
}

TEST(RealEnvTest, KnowsThisProcess) {
  EXPECT_EQ(RealEnv().ProcessId(), getpid());
  EXPECT_FALSE(RealEnv().HostName().empty());
  EXPECT_GT(RealEnv().MaxListenBacklog().value_or(0), 0);
  setenv("ROLLCALL_REAL_ENV_TEST", "x", 1);
  EXPECT_EQ(RealEnv().GetEnvironmentVariable("ROLLCALL_REAL_ENV_TEST"), "x");
  EXPECT_EQ(RealEnv().GetEnvironmentVariable("ROLLCALL_REAL_ENV_NONE"), std::nullopt);
}

TEST(RealEnvTest, HasBothEventLoops) {
  for (EventLoopKind kind : {EventLoopKind::kEpoll, EventLoopKind::kLibuv}) {
    const auto loop = RealEnv().NewEventLoop(kind);
    ASSERT_TRUE(loop.ok()) << loop.status();
    EXPECT_EQ((*loop)->kind(), kind);
  }
}

}  // namespace
}  // namespace rollcall::net
