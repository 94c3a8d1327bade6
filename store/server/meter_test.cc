#include "store/server/meter.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"

namespace rollcall {
namespace {

using protocol::Operation;

class SetClock final : public net::Clock {
 public:
  absl::Time Now() override { return now; }
  absl::Time now = absl::UnixEpoch();
};

class MeterTest : public testing::Test {
 protected:
  SetClock clock_;
  Meter meter_;
};

TEST_F(MeterTest, ARequestTakesAsLongAsWhatItCameWith) {
  meter_.MeasureLatencies(&clock_);
  const absl::Time turn = clock_.now;
  meter_.Begins(turn);
  meter_.Requested(Operation::kSet);
  meter_.Requested(Operation::kSet);
  meter_.Requested(Operation::kGet);
  clock_.now += absl::Microseconds(150);
  meter_.Ends(turn);
  const ServerMetrics& metrics = meter_.metrics();
  EXPECT_EQ(metrics.work.requests, 3u);
  EXPECT_EQ(metrics.requests[static_cast<size_t>(Operation::kSet)], 2u);
  const engine::DurationHistogram& sets =
      metrics.serving_times[static_cast<size_t>(Operation::kSet)];
  EXPECT_EQ(sets.sum(), absl::Microseconds(300));
  EXPECT_EQ(sets.counts()[4], 2u) << "more than 100us, at most 200us";
  EXPECT_EQ(metrics.serving_times[static_cast<size_t>(Operation::kGet)].counts()[4], 1u);
  meter_.Begins(turn);
  meter_.Ends(turn);
  EXPECT_EQ(sets.counts()[4], 2u) << "nothing is counted twice";
}

TEST_F(MeterTest, WithoutAClockThereAreNoLatencies) {
  meter_.Begins(clock_.now);
  meter_.Requested(Operation::kSet);
  meter_.Ends(clock_.now);
  EXPECT_EQ(meter_.metrics().work.requests, 1u);
  EXPECT_TRUE(meter_.metrics().serving_times.empty());
}

TEST_F(MeterTest, KeepsTheLastIncidentsAndCutsWhatTheySay) {
  for (size_t i = 0; i < Meter::kIncidentsMax + 2; ++i) {
    meter_.Remember({.reason = absl::StrCat("incident ", i)});
  }
  ASSERT_EQ(meter_.incidents().size(), Meter::kIncidentsMax);
  EXPECT_EQ(meter_.incidents().front().reason, "incident 2");
  meter_.Remember({.reason = std::string(100'000, 'x')});
  EXPECT_LT(meter_.incidents().back().reason.size(), 1000u);
}

TEST(DurationHistogramTest, ABoundBelongsToItsBucket) {
  engine::DurationHistogram histogram(&engine::kServingTimes);
  histogram.Observe(absl::ZeroDuration());
  histogram.Observe(absl::Microseconds(10));
  histogram.Observe(absl::Microseconds(10) + absl::Nanoseconds(1));
  histogram.Observe(absl::Hours(1));
  EXPECT_EQ(histogram.counts().front(), 2u);
  EXPECT_EQ(histogram.counts()[1], 1u);
  EXPECT_EQ(histogram.counts().back(), 1u);
  engine::DurationHistogram sum(&engine::kServingTimes);
  sum.MergeFrom(histogram);
  sum.MergeFrom(histogram);
  EXPECT_EQ(sum.counts().front(), 4u);
  EXPECT_EQ(sum.sum(), 2 * histogram.sum());
}

TEST(IncidentTest, EveryKindSaysWhatToDo) {
  for (const IncidentInfo& info : AllIncidents()) {
    EXPECT_EQ(&InfoOf(info.kind), &info);
    EXPECT_FALSE(info.code.empty() || info.label.empty() || info.meaning.empty());
    EXPECT_GT(info.remedy.size(), 20u) << info.code;
  }
}

}  // namespace
}  // namespace rollcall
