#include "tools/bench/meter.h"

#include <unistd.h>

#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "tools/bench/awake.h"

namespace rollcall::bench {
namespace {

Cost Busy(int server_ms, int load_ms) {
  return {.wall = absl::Milliseconds(100),
          .server_cpu = absl::Milliseconds(server_ms),
          .load_cpu = absl::Milliseconds(load_ms)};
}

TEST(Bound, IsTheSideThatAlwaysWorks) {
  EXPECT_EQ(BoundOf(Busy(97, 50)), Bound::kServer);
  EXPECT_EQ(BoundOf(Busy(50, 97)), Bound::kLoad);
  EXPECT_EQ(BoundOf(Busy(95, 97)), Bound::kLoad);
}

TEST(Bound, IsNeitherWhereBothWait) { EXPECT_EQ(BoundOf(Busy(60, 70)), Bound::kNeither); }

TEST(Costs, AddUp) {
  Cost total = Busy(1, 2);
  total += Busy(3, 4);
  EXPECT_EQ(total.wall, absl::Milliseconds(200));
  EXPECT_EQ(total.server_cpu, absl::Milliseconds(4));
  EXPECT_EQ(total.load_cpu, absl::Milliseconds(6));
}

TEST(Meter, CountsAnUnknownServerAsNobody) {
  const Cost cost = Meter(0).Read();
  EXPECT_EQ(cost.server_cpu, absl::ZeroDuration());
  EXPECT_GE(cost.load_cpu, absl::ZeroDuration());
  EXPECT_GE(cost.others_cpu, absl::ZeroDuration());
}

TEST(CoresKeptAwake, UseWhatNobodyWantsUntilTheyEnd) {
  {
    const CoresKeptAwake awake;
    // On a busy machine it may be a while until nobody wants a core.
    const absl::Time deadline = absl::Now() + absl::Minutes(2);
    while (CoresKeptAwake::CpuTime() == absl::ZeroDuration() && absl::Now() < deadline) {
    }
    EXPECT_GT(CoresKeptAwake::CpuTime(), absl::ZeroDuration());
  }
  EXPECT_EQ(CoresKeptAwake::CpuTime(), absl::ZeroDuration());
}

}  // namespace
}  // namespace rollcall::bench
