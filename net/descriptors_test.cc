#include "net/descriptors.h"

#include <sys/eventfd.h>
#include <sys/resource.h>
#include <unistd.h>

#include <fstream>
#include <limits>
#include <string>

#include "gtest/gtest.h"

namespace rollcall::net {
namespace {

// What the process's table of descriptors has room for.
int TableSize() {
  std::ifstream status("/proc/self/status");
  for (std::string word; status >> word;) {
    if (word == "FDSize:") {
      int size = 0;
      status >> size;
      return size;
    }
  }
  return 0;
}

TEST(ReserveDescriptors, MakesRoomAndTakesNone) {
  ASSERT_LT(TableSize(), 900);
  const int next_before = eventfd(0, 0);
  close(next_before);
  ReserveDescriptors(900);
  EXPECT_GE(TableSize(), 900);
  const int next_after = eventfd(0, 0);
  EXPECT_EQ(next_after, next_before);
  close(next_after);
}

TEST(ReserveDescriptors, GoesNoFurtherThanTheLimit) {
  rlimit limit = {};
  ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &limit), 0);
  limit.rlim_cur = 2000;
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &limit), 0);
  ReserveDescriptors(std::numeric_limits<int>::max());
  EXPECT_GE(TableSize(), 2000);
  EXPECT_LT(TableSize(), 4096);
}

TEST(ReserveDescriptors, LeavesThingsAsTheyAreWhereNoneAreAskedFor) {
  const int before = TableSize();
  ReserveDescriptors(0);
  EXPECT_EQ(TableSize(), before);
}

}  // namespace
}  // namespace rollcall::net
