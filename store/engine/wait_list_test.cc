#include "store/engine/wait_list.h"

#include <cstddef>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/string_view.h"
#include "gtest/gtest.h"

namespace rollcall::engine {
namespace {

class WaitListTest : public testing::Test {
 protected:
  std::string KeyCreated(absl::string_view key) {
    return Released([&](auto& released) { waits_.KeyCreated(key, released); });
  }
  std::string ElementPushed(absl::string_view queue) {
    return Released([&](auto& released) { waits_.ElementPushed(queue, released); });
  }
  std::string BarrierFull(absl::string_view barrier) {
    return Released([&](auto& released) { waits_.BarrierFull(barrier, released); });
  }

  WaitList waits_;

 private:
  template <typename Event>
  static std::string Released(Event event) {
    std::vector<ClientId> released;
    event(released);
    return absl::StrJoin(released, " ");
  }
};

TEST_F(WaitListTest, ReleasesInTheOrderOfArrival) {
  for (const ClientId client : {3, 1, 2}) waits_.AwaitNames(client, {"k"});
  EXPECT_EQ(waits_.waiting_clients(), 3u);
  EXPECT_EQ(KeyCreated("other"), "");
  EXPECT_EQ(KeyCreated("k"), "3 1 2");
  EXPECT_EQ(KeyCreated("k"), "");
  EXPECT_EQ(waits_.waiting_clients(), 0u);
  EXPECT_EQ(waits_.awaited_names(), 0u);
}

TEST_F(WaitListTest, ReleasesOnceAllNamesWereSeenInAnyOrder) {
  waits_.AwaitNames(1, {"a", "b", "c"});
  EXPECT_EQ(KeyCreated("b"), "");
  EXPECT_EQ(KeyCreated("b"), "") << "the same name twice";
  EXPECT_EQ(KeyCreated("c"), "");
  EXPECT_EQ(KeyCreated("a"), "1");
  EXPECT_EQ(waits_.awaited_names(), 0u);
}

TEST_F(WaitListTest, DuplicatesCountOnce) {
  waits_.AwaitNames(1, {"a", "b", "a", "a", "b"});
  EXPECT_EQ(waits_.awaited_names(), 2u);
  EXPECT_EQ(KeyCreated("a"), "");
  EXPECT_EQ(KeyCreated("b"), "1");
}

TEST_F(WaitListTest, DroppingTakesAClientOffEveryListAndLeavesTheOthersInOrder) {
  for (const ClientId client : {1, 2, 3}) waits_.AwaitNames(client, {"a", "b"});
  waits_.AwaitNames(2, {"only mine"});
  waits_.AwaitBarrier(2, "a");
  waits_.Drop(2);
  waits_.Drop(2);
  waits_.Drop(99);
  EXPECT_EQ(waits_.awaited_names(), 2u);
  EXPECT_EQ(KeyCreated("only mine"), "");
  EXPECT_EQ(BarrierFull("a"), "");
  EXPECT_EQ(KeyCreated("a"), "");
  EXPECT_EQ(KeyCreated("b"), "1 3");
}

TEST_F(WaitListTest, DroppingAtEitherEndOfAQueueKeepsItWhole) {
  for (const ClientId client : {1, 2, 3, 4}) waits_.AwaitNames(client, {"k"});
  waits_.Drop(1);
  waits_.Drop(4);
  waits_.AwaitNames(5, {"k"});
  EXPECT_EQ(KeyCreated("k"), "2 3 5");
}

TEST_F(WaitListTest, DroppingAfterSomeNamesWereSeen) {
  waits_.AwaitNames(1, {"a", "b", "c"});
  EXPECT_EQ(KeyCreated("b"), "");
  waits_.AwaitNames(2, {"b"});
  waits_.Drop(1);
  EXPECT_EQ(waits_.awaited_names(), 1u);
  EXPECT_EQ(KeyCreated("b"), "2");
}

TEST_F(WaitListTest, SeveralWaitsOfOneClientAreReleasedByThemselves) {
  waits_.AwaitNames(1, {"a"});
  waits_.AwaitNames(1, {"b"});
  waits_.AwaitNames(1, {"a", "b"});
  EXPECT_EQ(KeyCreated("a"), "1");
  EXPECT_EQ(KeyCreated("b"), "1 1");
  EXPECT_EQ(waits_.waiting_clients(), 0u);
}

TEST_F(WaitListTest, AnElementReleasesOneClient) {
  for (const ClientId client : {1, 2, 3}) waits_.AwaitNames(client, {"q"});
  EXPECT_EQ(ElementPushed("q"), "1");
  EXPECT_EQ(ElementPushed("q"), "2");
  EXPECT_EQ(ElementPushed("unrelated"), "");
  EXPECT_EQ(KeyCreated("q"), "3") << "a key of that name is for all";
  EXPECT_EQ(ElementPushed("q"), "");
}

TEST_F(WaitListTest, AnElementPassesOverWaitsThatLackMoreAndIsSeenByThem) {
  waits_.AwaitNames(1, {"q", "k"});
  waits_.AwaitNames(2, {"q"});
  waits_.AwaitNames(3, {"q", "k"});
  EXPECT_EQ(ElementPushed("q"), "2");
  EXPECT_EQ(KeyCreated("k"), "1") << "the third was behind the one released, and has not seen q";
  EXPECT_EQ(ElementPushed("q"), "3");
}

TEST_F(WaitListTest, BarriersAndNamesAreStrangers) {
  waits_.AwaitBarrier(1, "b");
  waits_.AwaitNames(2, {"b"});
  EXPECT_EQ(KeyCreated("b"), "2");
  EXPECT_EQ(ElementPushed("b"), "");
  EXPECT_EQ(BarrierFull("b"), "1");
}

TEST_F(WaitListTest, AClientsFirstWaitAlwaysHasRoomAndLaterOnesHaveLimits) {
  EXPECT_TRUE(waits_.HasRoom(1, kAwaitedBytesMax * 2));
  waits_.AwaitNames(1, {"four", "four"});
  EXPECT_TRUE(waits_.HasRoom(1, kAwaitedBytesMax - 4));
  EXPECT_FALSE(waits_.HasRoom(1, kAwaitedBytesMax - 3));
  for (size_t i = 1; i < kPendingWaitsMax; ++i) {
    EXPECT_TRUE(waits_.HasRoom(1, 1));
    waits_.AwaitNames(1, {absl::StrCat(i)});
  }
  EXPECT_FALSE(waits_.HasRoom(1, 1));
  EXPECT_TRUE(waits_.HasRoom(2, 1));
  waits_.Drop(1);
  EXPECT_TRUE(waits_.HasRoom(1, 1));
}

// Would take minutes if a disconnect or a set looked at waits it has nothing to do with.
TEST_F(WaitListTest, ManyWaitersCostOnlyThoseConcerned) {
  constexpr ClientId kClients = 100'000;
  for (ClientId client = 0; client < kClients; ++client) {
    waits_.AwaitNames(client, {absl::StrCat("own", client), "common"});
  }
  EXPECT_EQ(waits_.awaited_names(), kClients + 1);
  for (ClientId client = 0; client < kClients; ++client) EXPECT_EQ(KeyCreated("unrelated"), "");
  for (ClientId client = 0; client < kClients; ++client) waits_.Drop(client);
  EXPECT_EQ(waits_.awaited_names(), 0u);
  EXPECT_EQ(waits_.waiting_clients(), 0u);
}

}  // namespace
}  // namespace rollcall::engine
