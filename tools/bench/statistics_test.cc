#include "tools/bench/statistics.h"

#include <vector>

#include "gtest/gtest.h"

namespace rollcall::bench {
namespace {

TEST(Statistics, TheMedianOfAnOddNumberIsTheOneInTheMiddle) {
  const Spread spread = SpreadOf({9, 1, 4});
  EXPECT_EQ(spread.lowest, 1);
  EXPECT_EQ(spread.median, 4);
  EXPECT_EQ(spread.highest, 9);
}

TEST(Statistics, TheMedianOfAnEvenNumberIsBetweenTheTwoInTheMiddle) {
  EXPECT_EQ(SpreadOf({10, 1, 4, 2}).median, 3);
}

TEST(Statistics, APercentileIsReachedByThatShareOfTheValues) {
  std::vector<double> values;
  for (int i = 100; i >= 1; --i) values.push_back(i);
  EXPECT_EQ(Percentile(values, 0.5), 50);
  EXPECT_EQ(Percentile(values, 0.99), 99);
  EXPECT_EQ(Percentile(values, 1), 100);
  EXPECT_EQ(Percentile(values, 0.001), 1);
}

}  // namespace
}  // namespace rollcall::bench
