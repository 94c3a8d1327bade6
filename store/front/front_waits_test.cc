#include "store/front/front_waits.h"

#include <string>
#include <vector>

#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "store/engine/client_id.h"
#include "store/engine/wait_list.h"

namespace rollcall::front {
namespace {

using engine::ClientId;

class FrontWaitsTest : public testing::Test {
 protected:
  const absl::Time now_ = absl::UnixEpoch();

  // A wait that has looked, at `revision`, and found nothing.
  WaitId BeginAt(int64_t revision, ClientId client, std::vector<std::string> names) {
    const size_t count = names.size();
    const WaitId wait = waits_.Begin(client, std::move(names), now_);
    for (size_t i = 0; i < count; ++i) waits_.Looked(wait, i, false, revision);
    EXPECT_FALSE(waits_.IsOver(wait));
    return wait;
  }
  std::vector<ClientId> KeyPut(const std::string& key, int64_t revision,
                               const std::string& value = "v") {
    std::vector<engine::Released> released;
    waits_.KeyPut(key, value, revision, released);
    return ClientsOf(released);
  }
  std::vector<ClientId> ElementPut(const std::string& queue, int64_t revision) {
    std::vector<engine::Released> released;
    waits_.ElementPut(queue, revision, released);
    return ClientsOf(released);
  }
  static std::vector<ClientId> ClientsOf(const std::vector<engine::Released>& released) {
    std::vector<ClientId> clients;
    for (const engine::Released& one : released) clients.push_back(one.client);
    return clients;
  }
  void ExpectNothingLeft() {
    EXPECT_EQ(waits_.size(), 0u);
    EXPECT_EQ(waits_.waiting_clients(), 0u);
    EXPECT_TRUE(waits_.AwaitedNames().empty());
    EXPECT_TRUE(waits_.AwaitedBarriers().empty());
  }

  FrontWaits waits_;
};

using Clients = std::vector<ClientId>;

TEST_F(FrontWaitsTest, APutReleasesAllWhoWaitInTheOrderInWhichTheyCame) {
  BeginAt(10, 1, {"a"});
  BeginAt(11, 2, {"a"});
  BeginAt(11, 3, {"b"});
  EXPECT_EQ(KeyPut("a", 12), (Clients{1, 2}));
  EXPECT_EQ(KeyPut("a", 13), Clients{});
  EXPECT_EQ(KeyPut("b", 14), Clients{3});
  ExpectNothingLeft();
}

TEST_F(FrontWaitsTest, WhatWasThereBeforeTheLookAndGoneReleasesNobody) {
  BeginAt(10, 1, {"a"});
  EXPECT_EQ(KeyPut("a", 9), Clients{});
  EXPECT_EQ(KeyPut("a", 10), Clients{});
  EXPECT_TRUE(waits_.IsWaiting(1));
  EXPECT_EQ(KeyPut("a", 11), Clients{1});
}

TEST_F(FrontWaitsTest, WhatIsToldDuringTheLookCountsIfItIsLaterThanTheLook) {
  const WaitId earlier = waits_.Begin(1, {"a"}, now_);
  const WaitId later = waits_.Begin(2, {"a"}, now_);
  EXPECT_EQ(KeyPut("a", 12), Clients{});
  waits_.Looked(earlier, 0, false, 11);
  EXPECT_TRUE(waits_.IsOver(earlier));
  waits_.Looked(later, 0, false, 12);
  EXPECT_FALSE(waits_.IsOver(later));
  EXPECT_EQ(KeyPut("a", 13), Clients{2});
  ExpectNothingLeft();
}

TEST_F(FrontWaitsTest, AWaitForSeveralIsOverOnceEachHasBeenSeen) {
  const WaitId wait = waits_.Begin(1, {"a", "b", "c", "b"}, now_);
  waits_.Looked(wait, 0, true, 10);
  for (const size_t i : {1, 2, 3}) waits_.Looked(wait, i, false, 10);
  EXPECT_FALSE(waits_.IsOver(wait));
  EXPECT_EQ(KeyPut("b", 11), Clients{});
  const auto pending = waits_.Pending(10, 10);
  ASSERT_EQ(pending.size(), 1u);
  EXPECT_EQ(pending[0].missing, 1u);
  EXPECT_EQ(pending[0].names[0], "c");
  EXPECT_EQ(KeyPut("c", 12), Clients{1});
  ExpectNothingLeft();
}

TEST_F(FrontWaitsTest, AWaitForNothingIsOver) {
  EXPECT_TRUE(waits_.IsOver(waits_.Begin(1, {}, now_)));
  ExpectNothingLeft();
}

TEST_F(FrontWaitsTest, OneElementReleasesOneWaiterAndTellsAllThatStillLook) {
  BeginAt(10, 1, {"q"});
  BeginAt(10, 2, {"q"});
  const WaitId looks = waits_.Begin(3, {"q"}, now_);
  EXPECT_EQ(ElementPut("q", 11), Clients{1});
  EXPECT_EQ(ElementPut("q", 12), Clients{2});
  waits_.Looked(looks, 0, false, 11);
  EXPECT_TRUE(waits_.IsOver(looks));
  ExpectNothingLeft();
}

TEST_F(FrontWaitsTest, AnElementThatDoesNotEndAWaitGoesOnToTheNext) {
  BeginAt(10, 1, {"q", "other"});
  BeginAt(10, 2, {"q"});
  BeginAt(10, 3, {"q"});
  EXPECT_EQ(ElementPut("q", 11), Clients{2});
  EXPECT_EQ(KeyPut("other", 12), Clients{1});
  EXPECT_EQ(ElementPut("q", 13), Clients{3});
  ExpectNothingLeft();
}

TEST_F(FrontWaitsTest, ABarrierIsFullAtEachMembersOwnNumber) {
  const WaitId two = waits_.BeginBarrier(1, "b", 2, now_);
  waits_.Looked(two, 0, false, 10);
  const WaitId three = waits_.BeginBarrier(2, "b", 3, now_);
  waits_.Looked(three, 0, false, 10);
  BeginAt(10, 3, {"b"});
  EXPECT_EQ(KeyPut("b", 11, "2"), (Clients{3, 1}));
  EXPECT_EQ(KeyPut("b", 12, "no number"), Clients{});
  EXPECT_EQ(KeyPut("b", 13, "3"), Clients{2});
  ExpectNothingLeft();
}

TEST_F(FrontWaitsTest, ABarrierThatFillsWhileItIsCountedIsOver) {
  const WaitId wait = waits_.BeginBarrier(1, "b", 2, now_);
  EXPECT_EQ(KeyPut("b", 12, "2"), Clients{});
  waits_.Looked(wait, 0, false, 11);
  EXPECT_TRUE(waits_.IsOver(wait));
  ExpectNothingLeft();
}

TEST_F(FrontWaitsTest, AClientThatGoesTakesAllItsWaitsAlong) {
  const WaitId looks = waits_.Begin(1, {"a"}, now_);
  BeginAt(10, 1, {"a", "b"});
  BeginAt(10, 2, {"a"});
  EXPECT_TRUE(waits_.Drop(1));
  EXPECT_FALSE(waits_.Drop(1));
  waits_.Looked(looks, 0, true, 11);
  EXPECT_FALSE(waits_.IsOver(looks));
  EXPECT_EQ(KeyPut("a", 11), Clients{2});
  ExpectNothingLeft();
}

TEST_F(FrontWaitsTest, WhoeverLooksForOthersReleasesAll) {
  BeginAt(10, 1, {"q"});
  BeginAt(20, 2, {"q"});
  std::vector<engine::Released> released;
  waits_.IsThere("q", 15, released);
  EXPECT_EQ(ClientsOf(released), Clients{1});
  waits_.IsThere("q", 21, released);
  EXPECT_EQ(ClientsOf(released), (Clients{1, 2}));
  ExpectNothingLeft();
}

TEST_F(FrontWaitsTest, OneClientHasNoMoreThanSoManyWaits) {
  for (size_t i = 0; i < engine::kPendingWaitsMax; ++i) {
    EXPECT_TRUE(waits_.HasRoom(1, 1));
    BeginAt(10, 1, {"a"});
  }
  EXPECT_FALSE(waits_.HasRoom(1, 1));
  EXPECT_TRUE(waits_.HasRoom(2, engine::kAwaitedBytesMax + 1));
  BeginAt(10, 2, {"a"});
  EXPECT_FALSE(waits_.HasRoom(2, engine::kAwaitedBytesMax));
}

}  // namespace
}  // namespace rollcall::front
