#include "store/server/throughput.h"

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"

namespace rollcall {
namespace {

class ThroughputTest : public testing::Test {
 protected:
  void Requests(double at_second, uint64_t count) {
    throughput_.Advance(absl::UnixEpoch() + absl::Seconds(at_second), totals_);
    totals_.requests += count;
  }
  static std::string Words(const std::vector<Work>& seconds) {
    std::string words;
    for (const Work& second : seconds) absl::StrAppend(&words, second.requests, " ");
    return words;
  }

  Throughput throughput_;
  Work totals_;
};

TEST_F(ThroughputTest, EachSecondHasWhatWasDoneInIt) {
  Requests(10.3, 1);
  Requests(10.9, 2);
  EXPECT_EQ(Words(throughput_.Seconds()), "") << "the first second is not over";
  Requests(11.0, 5);
  Requests(14.5, 7);
  Requests(15.1, 0);
  EXPECT_EQ(Words(throughput_.Seconds()), "3 5 0 0 7 ");
  EXPECT_EQ(throughput_.ends_at(), absl::FromUnixSeconds(15));
}

TEST_F(ThroughputTest, KeepsTheLastMinutes) {
  for (size_t i = 0; i < Throughput::kSecondsMax + 11; ++i) Requests(static_cast<double>(i), i);
  const std::vector<Work> seconds = throughput_.Seconds();
  ASSERT_EQ(seconds.size(), Throughput::kSecondsMax);
  EXPECT_EQ(seconds.front().requests, 10u);
  EXPECT_EQ(seconds.back().requests, Throughput::kSecondsMax + 9);
  Requests(1e6, 1);
  EXPECT_EQ(throughput_.Seconds().size(), Throughput::kSecondsMax);
  EXPECT_EQ(throughput_.Seconds().back().requests, 0u);
}

TEST_F(ThroughputTest, SumsSecondBySecond) {
  std::vector<Work> sum = {{.requests = 1}, {.requests = 2}, {.requests = 3}};
  const std::vector<Work> other = {{.requests = 10}, {.requests = 20}, {.requests = 30}};
  AddSeconds(absl::FromUnixSeconds(9), other, absl::FromUnixSeconds(10), sum);
  EXPECT_EQ(Words(sum), "21 32 3 ");
  AddSeconds(absl::FromUnixSeconds(11), other, absl::FromUnixSeconds(10), sum);
  EXPECT_EQ(Words(sum), "21 42 23 ");
}

}  // namespace
}  // namespace rollcall
