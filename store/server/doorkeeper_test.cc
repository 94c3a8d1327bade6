#include "store/server/doorkeeper.h"

#include <vector>

#include "gtest/gtest.h"

namespace rollcall {
namespace {

TEST(DoorkeeperTest, SendsEachToTheLoopWithTheFewest) {
  Doorkeeper door(3, 0, 100);
  std::vector<size_t> loops;
  for (int i = 0; i < 6; ++i) loops.push_back(door.Admit()->loop);
  EXPECT_EQ(loops, (std::vector<size_t>{0, 1, 2, 0, 1, 2}));
  door.Left(1);
  door.Left(1);
  EXPECT_EQ(door.Admit()->loop, 1u);
  EXPECT_EQ(door.Admit()->loop, 1u);
  EXPECT_EQ(door.Admit()->loop, 0u);
}

TEST(DoorkeeperTest, NumbersAllWhoCome) {
  Doorkeeper door(2, 0, 100);
  for (uint64_t i = 0; i < 5; ++i) EXPECT_EQ(door.Admit()->arrival, i);
}

TEST(DoorkeeperTest, NeverLetsInMoreThanItMay) {
  Doorkeeper door(2, 3, 100);
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(door.Admit().has_value());
  EXPECT_FALSE(door.Admit().has_value());
  door.Left(1);
  EXPECT_TRUE(door.Admit().has_value());
  EXPECT_FALSE(door.Admit().has_value());
}

TEST(DoorkeeperTest, WhereTooManyAreSilentTheLoopOfTheOldestMakesWay) {
  Doorkeeper door(3, 0, 2);
  std::vector<int> asked(3);
  for (size_t i = 0; i < 3; ++i) door.SetMakeWay(i, [&asked, i] { ++asked[i]; });
  door.Silent(2, 10);
  door.Silent(0, 11);
  EXPECT_FALSE(door.TooManyAreSilent());
  door.Silent(1, 12);
  EXPECT_EQ(asked, (std::vector<int>{0, 0, 1}));
  EXPECT_TRUE(door.TooManyAreSilent());
  door.NoLongerSilent(2, Doorkeeper::kNobody);
  EXPECT_FALSE(door.TooManyAreSilent());
  // The oldest may be on the loop where the one too many is.
  door.Silent(0, 11);
  EXPECT_EQ(asked, (std::vector<int>{1, 0, 1}));
}

}  // namespace
}  // namespace rollcall
