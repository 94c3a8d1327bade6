#include "store/server/spare_memory.h"

#include "gtest/gtest.h"

namespace rollcall {
namespace {

TEST(SpareMemory, IsGivenBackOnceWhenMostOfACrowdHasLeft) {
  SpareMemory memory;
  memory.Grew(10'000);
  EXPECT_FALSE(memory.IsDue(9'999));
  EXPECT_FALSE(memory.IsDue(1'251));
  EXPECT_TRUE(memory.IsDue(1'250));
  // What is left is a crowd still.
  EXPECT_FALSE(memory.IsDue(1'000));
  EXPECT_TRUE(memory.IsDue(150));
  EXPECT_FALSE(memory.IsDue(0));
}

TEST(SpareMemory, IsNotWorthItForAFew) {
  SpareMemory memory;
  memory.Grew(1'000);
  EXPECT_FALSE(memory.IsDue(0));
}

}  // namespace
}  // namespace rollcall
