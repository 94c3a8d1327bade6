#include "net/backoff.h"

#include <cstdint>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace rollcall::net {
namespace {

using ::testing::ElementsAre;

constexpr uint64_t kMiddle = uint64_t{1} << 63;  // Neither shorter nor longer than the base.

std::vector<double> Milliseconds(Backoff& backoff, int count) {
  std::vector<double> waits;
  for (int i = 0; i < count; ++i) {
    waits.push_back(absl::ToDoubleMilliseconds(backoff.Next(kMiddle)));
  }
  return waits;
}

TEST(BackoffTest, GrowsFromTheInitialWaitToTheLongest) {
  Backoff backoff(
      {.initial = absl::Milliseconds(500), .multiplier = 2, .max = absl::Seconds(5), .jitter = 0});
  EXPECT_THAT(Milliseconds(backoff, 6), ElementsAre(500, 1000, 2000, 4000, 5000, 5000));
}

TEST(BackoffTest, DefaultsJoinALateServerSoon) {
  Backoff backoff({});
  const std::vector<double> waits = Milliseconds(backoff, 12);
  EXPECT_THAT(
      std::vector<double>(waits.begin(), waits.begin() + 4),
      ElementsAre(20, 32, testing::DoubleNear(51.2, 1e-6), testing::DoubleNear(81.92, 1e-6)));
  EXPECT_EQ(waits.back(), 2000);
}

TEST(BackoffTest, ResetStartsOver) {
  Backoff backoff({.initial = absl::Milliseconds(500), .multiplier = 2, .jitter = 0});
  backoff.Next(0);
  backoff.Next(0);
  backoff.Reset();
  EXPECT_EQ(backoff.Next(0), absl::Milliseconds(500));
}

TEST(BackoffTest, JitterSpansTheBaseEvenly) {
  const BackoffOptions fixed = {.initial = absl::Milliseconds(1000),
                                .multiplier = 1,
                                .max = absl::Milliseconds(1000),
                                .jitter = 0.5};
  Backoff backoff(fixed);
  EXPECT_EQ(backoff.Next(0), absl::Milliseconds(500));
  EXPECT_EQ(backoff.Next(kMiddle), absl::Milliseconds(1000));
  const absl::Duration longest = backoff.Next(UINT64_MAX);
  EXPECT_LE(longest, absl::Milliseconds(1500));
  EXPECT_GT(longest, absl::Milliseconds(1499));
  for (uint64_t i = 0; i < 100; ++i) {
    const absl::Duration wait = backoff.Next(i * 0x9E3779B97F4A7C15u);
    EXPECT_GE(wait, absl::Milliseconds(500));
    EXPECT_LT(wait, absl::Milliseconds(1500));
  }
}

TEST(BackoffTest, AMultiplierOfOneIsAFixedWait) {
  Backoff backoff({.initial = absl::Milliseconds(70), .multiplier = 1, .jitter = 0});
  EXPECT_THAT(Milliseconds(backoff, 3), ElementsAre(70, 70, 70));
}

TEST(BackoffTest, NumbersOutOfRangeAreMovedIntoIt) {
  Backoff backoff({.initial = absl::Milliseconds(-5),
                   .multiplier = 0,
                   .max = absl::ZeroDuration(),
                   .jitter = 7});
  for (uint64_t bits : {uint64_t{0}, kMiddle, UINT64_MAX}) {
    const absl::Duration wait = backoff.Next(bits);
    EXPECT_GE(wait, absl::ZeroDuration());
    EXPECT_LE(wait, absl::Nanoseconds(2));
  }
}

}  // namespace
}  // namespace rollcall::net
