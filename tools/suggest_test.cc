#include "tools/suggest.h"

#include "gtest/gtest.h"

namespace rollcall::tools {
namespace {

TEST(NearestWord, IsTheOneThatWasMeant) {
  EXPECT_EQ(NearestWord("queue_pusj", {"queue_pop", "queue_push"}), "queue_push");
  EXPECT_EQ(NearestWord("gett", {"set", "get"}), "get");
  EXPECT_EQ(NearestWord("numkeys", {"num_keys", "list_keys"}), "num_keys");
}

TEST(NearestWord, IsNothingWhereNothingIsNear) {
  EXPECT_EQ(NearestWord("frobnicate", {"set", "get", "barrier"}), "");
  EXPECT_EQ(NearestWord("x", {}), "");
}

}  // namespace
}  // namespace rollcall::tools
