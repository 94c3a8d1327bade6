#include "store/server/shared_engine.h"

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "net/std_monitor.h"
#include "store/protocol/dialect.h"
#include "store/protocol/reply.h"
#include "store/protocol/request.h"
#include "store/server/late_replies.h"
#include "store/server/loop_number.h"

namespace rollcall {
namespace {

using protocol::Operation;

protocol::Request Of(Operation operation, const std::string& key) {
  protocol::Request request;
  request.operation = operation;
  request.keys = {key};
  if (operation == Operation::kSet) request.values = {"v"};
  return request;
}

class SharedEngineTest : public testing::Test {
 protected:
  SharedEngineTest() {
    for (size_t i = 0; i < 3; ++i) {
      shared_.port(i)->SetWake([this, i] { ++wakes_[i]; });
    }
  }

  // A batch of one client's requests; what its own loop is to say now, as many as there are.
  size_t Ask(engine::ClientId client, std::vector<protocol::Request> requests) {
    EnginePort& port = *shared_.port(LoopOf(client));
    LateReplies late;
    port.Begin(late);
    EXPECT_TRUE(late.empty());
    engine::Replies replies;
    port.Connect(client, protocol::Dialect::kModern, /*name_space=*/"");
    for (protocol::Request& request : requests) {
      port.Apply(client, request, absl::UnixEpoch(), replies);
    }
    for (const engine::Outgoing& outgoing : replies) EXPECT_EQ(outgoing.to, client);
    port.End();
    return replies.size();
  }

  std::vector<engine::ClientId> TakeLate(size_t loop) {
    LateReplies late;
    shared_.port(loop)->Begin(late);
    shared_.port(loop)->End();
    std::vector<engine::ClientId> clients;
    late.ForEach([&](engine::ClientId to, LateKind kind, absl::string_view bytes) {
      EXPECT_EQ(bytes, std::string(1, protocol::kStopWaiting));
      EXPECT_EQ(kind, LateKind::kReply);
      clients.push_back(to);
    });
    return clients;
  }

  SharedEngine shared_{std::make_unique<net::StdMonitor>(), 3};
  int wakes_[3] = {0, 0, 0};
};

TEST_F(SharedEngineTest, ABatchWakesEachOtherLoopOnce) {
  const engine::ClientId setter = MakeClientId(0, 0, 0);
  std::vector<engine::ClientId> waiters;
  for (uint64_t i = 1; i <= 6; ++i) {
    waiters.push_back(MakeClientId(i, 1 + i % 2, i));
    EXPECT_EQ(Ask(waiters.back(), {Of(Operation::kWait, i <= 4 ? "/a" : "/b")}), 0u);
  }
  EXPECT_EQ(shared_.port(0)->numbers().waiting_clients, 6u);
  EXPECT_EQ(Ask(setter, {Of(Operation::kSet, "/a"), Of(Operation::kSet, "/b")}), 0u);
  EXPECT_EQ(wakes_[0], 0);
  EXPECT_EQ(wakes_[1], 1);
  EXPECT_EQ(wakes_[2], 1);
  EXPECT_EQ(shared_.port(0)->numbers().waiting_clients, 0u);
  EXPECT_EQ(shared_.port(0)->numbers().keys, 2u);
  EXPECT_EQ(TakeLate(0), std::vector<engine::ClientId>());
  EXPECT_EQ(TakeLate(1), (std::vector<engine::ClientId>{waiters[1], waiters[3], waiters[5]}));
  EXPECT_EQ(TakeLate(2), (std::vector<engine::ClientId>{waiters[0], waiters[2], waiters[4]}));
}

TEST_F(SharedEngineTest, ALoopThatHasNotLookedYetIsNotWokenAgain) {
  const engine::ClientId setter = MakeClientId(0, 0, 0);
  const engine::ClientId waiter = MakeClientId(1, 1, 0);
  Ask(waiter, {Of(Operation::kWait, "/a"), Of(Operation::kWait, "/b")});
  Ask(setter, {Of(Operation::kSet, "/a")});
  Ask(setter, {Of(Operation::kSet, "/b")});
  EXPECT_EQ(wakes_[1], 1);
  EXPECT_EQ(TakeLate(1), (std::vector<engine::ClientId>{waiter, waiter}));
  Ask(waiter, {Of(Operation::kWait, "/c")});
  Ask(setter, {Of(Operation::kSet, "/c")});
  EXPECT_EQ(wakes_[1], 2);
}

TEST_F(SharedEngineTest, WhatItsOwnLoopIsToSayIsSaidAtOnceAndInOrder) {
  const engine::ClientId setter = MakeClientId(0, 0, 0);
  const engine::ClientId neighbour = MakeClientId(1, 0, 1);
  const engine::ClientId other = MakeClientId(2, 2, 0);
  Ask(other, {Of(Operation::kWait, "/a")});
  Ask(neighbour, {Of(Operation::kWait, "/a")});
  EnginePort& port = *shared_.port(0);
  LateReplies late;
  engine::Replies replies;
  port.Begin(late);
  port.Connect(setter, protocol::Dialect::kModern, /*name_space=*/"");
  protocol::Request set = Of(Operation::kSet, "/a");
  protocol::Request check = Of(Operation::kCheck, "/a");
  port.Apply(setter, set, absl::UnixEpoch(), replies);
  port.Apply(setter, check, absl::UnixEpoch(), replies);
  ASSERT_EQ(replies.size(), 2u);
  EXPECT_EQ(replies[0].to, neighbour);
  EXPECT_EQ(replies[1].to, setter);
  port.End();
}

}  // namespace
}  // namespace rollcall
