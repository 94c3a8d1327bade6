// Clients that say nothing, where the server has a limit to that.
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "store/protocol/dialect.h"
#include "store/protocol/wire_text.h"
#include "store/server/core_scenario.h"
#include "store/server/incident.h"
#include "store/server/loops_scenario.h"
#include "testing/fake_event_loop.h"

namespace rollcall {
namespace {

using protocol::Dialect;

constexpr absl::Duration kIdle = absl::Minutes(10);

class IdleTest : public CoreScenario {
 protected:
  IdleTest() { options_.idle_timeout = kIdle; }

  bool IsClosedAfter(const Peer& peer, absl::Duration time) {
    loop_.AdvanceBy(time);
    return peer->closed_by_server();
  }
};

TEST_F(IdleTest, AClientThatSaysNothingIsClosedWhenItsTimeIsUpAndNotBefore) {
  const Peer client = Client();
  EXPECT_EQ(Ask(client, "ping 1"), Reply("nonce 1"));
  EXPECT_FALSE(IsClosedAfter(client, kIdle - absl::Milliseconds(1)));
  EXPECT_TRUE(IsClosedAfter(client, absl::Milliseconds(1)));
  EXPECT_EQ(stats().connections_refused, 1u);
  ASSERT_EQ(Snapshot().incidents.size(), 1u);
  EXPECT_EQ(Snapshot().incidents[0].kind, IncidentKind::kIdle);
}

TEST_F(IdleTest, WhateverItSaysStartsItsTimeAnew) {
  const Peer client = Client();
  for (int i = 0; i < 20; ++i) {
    Say(client, R"(set "/k" "v")");
    EXPECT_FALSE(IsClosedAfter(client, kIdle - absl::Seconds(1)));
  }
  EXPECT_TRUE(IsClosedAfter(client, absl::Seconds(1)));
}

TEST_F(IdleTest, WhoWaitsIsNotIdleAndHasAllItsTimeOnceItIsReleased) {
  const Peer waiter = Client();
  const Peer setter = Client();
  Say(waiter, R"(wait "/k")");
  EXPECT_FALSE(IsClosedAfter(waiter, 5 * kIdle + absl::Minutes(9)));
  EXPECT_TRUE(setter->closed_by_server());
  Say(Client(), R"(set "/k" "v")");
  EXPECT_EQ(waiter->TakeReceived(), Reply("signal 0"));
  EXPECT_FALSE(IsClosedAfter(waiter, kIdle - absl::Seconds(1)));
  EXPECT_TRUE(IsClosedAfter(waiter, absl::Seconds(1)));
}

TEST_F(IdleTest, AWatchChannelIsNotIdle) {
  const Peer watcher = Client(Dialect::kLegacy);
  Send(watcher, protocol::RequestBytes(Dialect::kLegacy, R"(watch_key "/k")"));
  EXPECT_EQ(watcher->TakeReceived(), Reply("signal 3"));
  EXPECT_FALSE(IsClosedAfter(watcher, 10 * kIdle));
}

TEST_F(IdleTest, WhoHasNeverSpokenIsLeftToTheLimitOfThose) {
  EXPECT_FALSE(IsClosedAfter(Connect(), 10 * kIdle));
}

TEST_F(IdleTest, HalfARequestHasItsOwnTime) {
  options_.half_request_timeout = 3 * kIdle;
  const Peer client = Client();
  Send(client, Request(R"(set "/k" "v")").substr(0, 5));
  EXPECT_FALSE(IsClosedAfter(client, 2 * kIdle));
  Send(client, Request(R"(set "/k" "v")").substr(5));
  EXPECT_FALSE(IsClosedAfter(client, kIdle - absl::Seconds(1)));
  EXPECT_TRUE(IsClosedAfter(client, absl::Seconds(1)));
}

TEST_F(IdleTest, EachGoesWhenItsOwnTimeIsUp) {
  const Peer first = Client();
  loop_.AdvanceBy(absl::Minutes(4));
  const Peer second = Client();
  EXPECT_TRUE(IsClosedAfter(first, absl::Minutes(6)));
  EXPECT_FALSE(second->closed_by_server());
  EXPECT_TRUE(IsClosedAfter(second, absl::Minutes(4)));
}

class IdleOnManyLoopsTest : public LoopsScenario {};

TEST_F(IdleOnManyLoopsTest, WhoseAnswerIsOnItsWayFromAnotherLoopIsNotIdle) {
  options_.idle_timeout = kIdle;
  const std::shared_ptr<FakePeer> setter = Client();
  const std::shared_ptr<FakePeer> waiter = Client();
  EXPECT_EQ(Ask(waiter, R"(wait "/k")"), "");
  loops().SetDeaf(1, true);
  loops().loop(1).AdvanceBy(kIdle - absl::Seconds(1));
  EXPECT_EQ(Ask(setter, R"(set "/k" "v")"), "");
  loops().loop(1).AdvanceBy(absl::Seconds(1));
  EXPECT_EQ(waiter->TakeReceived(), Reply("signal 0"));
  EXPECT_FALSE(waiter->closed_by_server());
  loops().loop(1).AdvanceBy(kIdle);
  EXPECT_TRUE(waiter->closed_by_server());
}

}  // namespace
}  // namespace rollcall
