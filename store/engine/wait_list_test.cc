#include "store/engine/wait_list.h"

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
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

  void AwaitNames(ClientId client, std::vector<std::string> names) {
    waits_.AwaitNames(client, std::move(names), now_);
  }
  void AwaitBarrier(ClientId client, std::string barrier) {
    waits_.AwaitBarrier(client, std::move(barrier), now_);
  }
  // "2@5 b,c; 1@9 barrier d": a client, since when, and what it still lacks, counted if not all.
  std::string Pending(size_t waits_max = 100, size_t names_max = 100) const {
    std::string words;
    for (const PendingWait& wait : waits_.Pending(waits_max, names_max)) {
      absl::StrAppend(&words, words.empty() ? "" : "; ", wait.client, "@",
                      absl::ToUnixSeconds(wait.since), wait.at_barrier ? " barrier " : " ",
                      absl::StrJoin(wait.names, ","));
      if (wait.names.size() < wait.missing) absl::StrAppend(&words, " of ", wait.missing);
    }
    return words;
  }

  WaitList waits_;
  absl::Time now_ = absl::UnixEpoch();

 private:
  template <typename Event>
  static std::string Released(Event event) {
    std::vector<engine::Released> released;
    event(released);
    return absl::StrJoin(released, " ", [](std::string* words, const engine::Released& wait) {
      absl::StrAppend(words, wait.client);
    });
  }
};

TEST_F(WaitListTest, ReleasesInTheOrderOfArrival) {
  for (const ClientId client : {3, 1, 2}) AwaitNames(client, {"k"});
  EXPECT_EQ(waits_.waiting_clients(), 3u);
  EXPECT_EQ(KeyCreated("other"), "");
  EXPECT_EQ(KeyCreated("k"), "3 1 2");
  EXPECT_EQ(KeyCreated("k"), "");
  EXPECT_EQ(waits_.waiting_clients(), 0u);
  EXPECT_EQ(waits_.awaited_names(), 0u);
}

TEST_F(WaitListTest, TellsWhoWaitsForWhatAndSinceWhen) {
  now_ = absl::FromUnixSeconds(5);
  AwaitNames(2, {"c", "b", "a", "b"});
  now_ = absl::FromUnixSeconds(9);
  AwaitBarrier(1, "all");
  AwaitNames(1, {"x"});
  EXPECT_EQ(Pending(), "2@5 c,b,a; 1@9 barrier all; 1@9 x");
  EXPECT_EQ(Pending(/*waits_max=*/1, /*names_max=*/2), "2@5 c,b of 3");
  KeyCreated("c");
  waits_.Drop(1);
  EXPECT_EQ(Pending(), "2@5 b,a");
  std::vector<engine::Released> released;
  waits_.KeyCreated("a", released);
  waits_.KeyCreated("b", released);
  ASSERT_EQ(released.size(), 1u);
  EXPECT_EQ(released[0].since, absl::FromUnixSeconds(5));
  EXPECT_EQ(Pending(), "");
}

TEST_F(WaitListTest, ReleasesOnceAllNamesWereSeenInAnyOrder) {
  AwaitNames(1, {"a", "b", "c"});
  EXPECT_EQ(KeyCreated("b"), "");
  EXPECT_EQ(KeyCreated("b"), "") << "the same name twice";
  EXPECT_EQ(KeyCreated("c"), "");
  EXPECT_EQ(KeyCreated("a"), "1");
  EXPECT_EQ(waits_.awaited_names(), 0u);
}

TEST_F(WaitListTest, DuplicatesCountOnce) {
  AwaitNames(1, {"a", "b", "a", "a", "b"});
  EXPECT_EQ(waits_.awaited_names(), 2u);
  EXPECT_EQ(KeyCreated("a"), "");
  EXPECT_EQ(KeyCreated("b"), "1");
}

TEST_F(WaitListTest, DroppingTakesAClientOffEveryListAndLeavesTheOthersInOrder) {
  for (const ClientId client : {1, 2, 3}) AwaitNames(client, {"a", "b"});
  AwaitNames(2, {"only mine"});
  AwaitBarrier(2, "a");
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
  for (const ClientId client : {1, 2, 3, 4}) AwaitNames(client, {"k"});
  waits_.Drop(1);
  waits_.Drop(4);
  AwaitNames(5, {"k"});
  EXPECT_EQ(KeyCreated("k"), "2 3 5");
}

TEST_F(WaitListTest, DroppingAfterSomeNamesWereSeen) {
  AwaitNames(1, {"a", "b", "c"});
  EXPECT_EQ(KeyCreated("b"), "");
  AwaitNames(2, {"b"});
  waits_.Drop(1);
  EXPECT_EQ(waits_.awaited_names(), 1u);
  EXPECT_EQ(KeyCreated("b"), "2");
}

TEST_F(WaitListTest, SeveralWaitsOfOneClientAreReleasedByThemselves) {
  AwaitNames(1, {"a"});
  AwaitNames(1, {"b"});
  AwaitNames(1, {"a", "b"});
  EXPECT_EQ(KeyCreated("a"), "1");
  EXPECT_EQ(KeyCreated("b"), "1 1");
  EXPECT_EQ(waits_.waiting_clients(), 0u);
}

TEST_F(WaitListTest, AnElementReleasesOneClient) {
  for (const ClientId client : {1, 2, 3}) AwaitNames(client, {"q"});
  EXPECT_EQ(ElementPushed("q"), "1");
  EXPECT_EQ(ElementPushed("q"), "2");
  EXPECT_EQ(ElementPushed("unrelated"), "");
  EXPECT_EQ(KeyCreated("q"), "3") << "a key of that name is for all";
  EXPECT_EQ(ElementPushed("q"), "");
}

TEST_F(WaitListTest, AnElementPassesOverWaitsThatLackMoreAndIsSeenByThem) {
  AwaitNames(1, {"q", "k"});
  AwaitNames(2, {"q"});
  AwaitNames(3, {"q", "k"});
  EXPECT_EQ(ElementPushed("q"), "2");
  EXPECT_EQ(KeyCreated("k"), "1") << "the third was behind the one released, and has not seen q";
  EXPECT_EQ(ElementPushed("q"), "3");
}

TEST_F(WaitListTest, BarriersAndNamesAreStrangers) {
  AwaitBarrier(1, "b");
  AwaitNames(2, {"b"});
  EXPECT_EQ(KeyCreated("b"), "2");
  EXPECT_EQ(ElementPushed("b"), "");
  EXPECT_EQ(BarrierFull("b"), "1");
}

TEST_F(WaitListTest, AClientsFirstWaitAlwaysHasRoomAndLaterOnesHaveLimits) {
  EXPECT_TRUE(waits_.HasRoom(1, kAwaitedBytesMax * 2));
  AwaitNames(1, {"four", "four"});
  EXPECT_TRUE(waits_.HasRoom(1, kAwaitedBytesMax - 4));
  EXPECT_FALSE(waits_.HasRoom(1, kAwaitedBytesMax - 3));
  for (size_t i = 1; i < kPendingWaitsMax; ++i) {
    EXPECT_TRUE(waits_.HasRoom(1, 1));
    AwaitNames(1, {absl::StrCat(i)});
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
    AwaitNames(client, {absl::StrCat("own", client), "common"});
  }
  EXPECT_EQ(waits_.awaited_names(), kClients + 1);
  for (ClientId client = 0; client < kClients; ++client) EXPECT_EQ(KeyCreated("unrelated"), "");
  for (ClientId client = 0; client < kClients; ++client) waits_.Drop(client);
  EXPECT_EQ(waits_.awaited_names(), 0u);
  EXPECT_EQ(waits_.waiting_clients(), 0u);
}

}  // namespace
}  // namespace rollcall::engine
