#include "tools/bench/usage.h"

#include <unistd.h>

#include <optional>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"

namespace rollcall::bench {
namespace {

absl::Duration Ticks(int count) { return absl::Seconds(1) * count / sysconf(_SC_CLK_TCK); }

TEST(BusyTime, IsAllButIdleAndWaitingForDisks) {
  // user nice system idle iowait irq softirq steal guest guest_nice
  EXPECT_EQ(ParseBusyTime("cpu  100 20 30 7000 500 4 5 6 9 9\ncpu0 1 1 1 1 1 1 1 1 1 1\n"),
            Ticks(100 + 20 + 30 + 4 + 5 + 6));
}

TEST(BusyTime, OfAnotherTextIsUnknown) {
  EXPECT_EQ(ParseBusyTime(""), std::nullopt);
  EXPECT_EQ(ParseBusyTime("cpu 1 2 3\n"), std::nullopt);
  EXPECT_EQ(ParseBusyTime("cpu0 1 2 3 4 5 6 7 8 9 10\n"), std::nullopt);
  EXPECT_EQ(ParseBusyTime("cpu 1 2 x 4 5 6 7 8 9 10\n"), std::nullopt);
}

TEST(SynRetries, AreFoundByTheirName) {
  EXPECT_EQ(ParseSynRetries("TcpExt: SyncookiesSent TCPSynRetrans Other\nTcpExt: 1 42 3\n"
                            "IpExt: InNoRoutes\nIpExt: 0\n"),
            42);
  EXPECT_EQ(ParseSynRetries("IpExt: InNoRoutes\nIpExt: 0\n"), std::nullopt);
  EXPECT_EQ(ParseSynRetries(""), std::nullopt);
}

TEST(MemoryUse, IsReadFromTheStatusOfAProcess) {
  const std::optional<Memory> memory =
      ParseMemory("Name:\tstore\nVmPeak:\t  9999 kB\nVmHWM:\t    5678 kB\nVmRSS:\t    1234 kB\n");
  ASSERT_TRUE(memory.has_value());
  EXPECT_EQ(memory->resident_kib, 1234);
  EXPECT_EQ(memory->peak_resident_kib, 5678);
  EXPECT_EQ(ParseMemory("Name:\tzombie\n"), std::nullopt);
}

TEST(MemoryUse, OfThisProcessIsKnown) {
  const std::optional<Memory> memory = MemoryOf(getpid());
  ASSERT_TRUE(memory.has_value());
  EXPECT_GT(memory->resident_kib, 0);
  EXPECT_GE(memory->peak_resident_kib, memory->resident_kib);
}

TEST(WantsToRun, IsAThreadsState) {
  EXPECT_TRUE(ParseWantsToRun("7 (store) R 1 7 7"));
  EXPECT_FALSE(ParseWantsToRun("7 (store) S 1 7 7"));
  EXPECT_FALSE(ParseWantsToRun("7 (a) R) S 1 7 7"));
  EXPECT_FALSE(ParseWantsToRun(""));
  EXPECT_FALSE(WantsToRun(getpid())) << "nobody else is in this process";
}

TEST(CpuTime, GrowsWithWork) {
  const std::optional<absl::Duration> before = CpuTimeOf(getpid());
  ASSERT_TRUE(before.has_value());
  EXPECT_GT(*before, absl::ZeroDuration());
  EXPECT_GE(CpuTimeOf(0), before);
}

TEST(CpuTime, OfNoProcessIsUnknown) {
  // Above the largest number that the kernel gives to a process.
  EXPECT_EQ(CpuTimeOf(1 << 23), std::nullopt);
}

}  // namespace
}  // namespace rollcall::bench
