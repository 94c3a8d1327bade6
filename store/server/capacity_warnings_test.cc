#include "store/server/capacity_warnings.h"

#include "gtest/gtest.h"

namespace rollcall {
namespace {

TEST(CapacityWarningsTest, EnoughOrUnknownIsNoWarning) {
  EXPECT_TRUE(
      CapacityWarnings(4096, {.listen_backlog_max = 4096, .descriptors_max = 20'000}).empty());
  EXPECT_TRUE(CapacityWarnings(4096, {}).empty());
  EXPECT_TRUE(CapacityWarnings(0, {.listen_backlog_max = 0, .descriptors_max = 3}).empty());
}

TEST(CapacityWarningsTest, EachNamesTheNumberTheLimitAndTheRemedy) {
  const std::vector<std::string> warnings =
      CapacityWarnings(10'000, {.listen_backlog_max = 4096, .descriptors_max = 1024});
  ASSERT_EQ(warnings.size(), 2u);
  EXPECT_EQ(warnings[0],
            "10000 clients are expected, but the kernel lets only 4096 wait to be accepted: if all "
            "connect at once, some lose seconds. Remedy: sysctl -w net.core.somaxconn=10000");
  EXPECT_EQ(warnings[1],
            "10000 clients are expected, but this process may open only 1024 descriptors: the last "
            "of them will not get in. Remedy: ulimit -n 10064 before it starts (twice that for "
            "clients of torch 1.x, which connect twice)");
}

}  // namespace
}  // namespace rollcall
