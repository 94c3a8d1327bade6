// What a server tells of itself, as its clients come, wait and go.
#include "store/server/server_snapshot.h"

#include <cstddef>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "store/protocol/dialect.h"
#include "store/protocol/operation.h"
#include "store/protocol/wire_text.h"
#include "store/server/core_scenario.h"
#include "store/server/incident.h"
#include "store/server/server_metrics.h"

namespace rollcall {
namespace {

using protocol::Dialect;

class ServerSnapshotTest : public CoreScenario {};

TEST_F(ServerSnapshotTest, ASnapshotTellsWhoJoinedAndWhoWaitsForWhat) {
  const Peer rank0 = Client();
  Say(rank0, R"(set "rollcall/rank/0" "3")");
  EXPECT_EQ(Ask(rank0, R"(add "init/" 1)"), Reply("number 1"));
  const Peer rank2 = Client();
  Say(rank2, R"(set "rollcall/rank/2" "3")");
  Say(rank2, R"(wait "/a" "/b")");
  const Peer nameless = Client(Dialect::kLegacy);
  Send(nameless, protocol::RequestBytes(Dialect::kLegacy, R"(wait "/a")"));
  const absl::Time waiting_since = loop_.Now();
  loop_.AdvanceBy(absl::Seconds(5));

  const ServerSnapshot snapshot = Snapshot();
  EXPECT_EQ(snapshot.now - waiting_since, absl::Seconds(5));
  EXPECT_EQ(snapshot.name_spaces[0].world_size_told, 3);
  EXPECT_EQ(snapshot.name_spaces[0].workers_joined, 1);
  ASSERT_EQ(snapshot.name_spaces[0].ranks.size(), 2u);
  EXPECT_EQ(snapshot.name_spaces[0].ranks[1].rank, 2);
  EXPECT_TRUE(snapshot.name_spaces[0].ranks[1].peer.is_valid());
  ASSERT_EQ(snapshot.name_spaces[0].waits.size(), 2u);
  EXPECT_EQ(snapshot.name_spaces[0].waits[0].rank, 2);
  EXPECT_EQ(snapshot.name_spaces[0].waits[0].since, waiting_since);
  EXPECT_EQ(snapshot.name_spaces[0].waits[0].names, (std::vector<std::string>{"/a", "/b"}));
  EXPECT_EQ(snapshot.name_spaces[0].waits[1].rank, -1);
  EXPECT_EQ(snapshot.name_spaces[0].nameless_connections, 1u);
  ASSERT_EQ(snapshot.name_spaces[0].nameless.size(), 1u);
  EXPECT_EQ(snapshot.name_spaces[0].nameless[0].dialect, Dialect::kLegacy);

  Say(rank0, R"(multi_set "/a" "" "/b" "")");
  EXPECT_EQ(Snapshot().name_spaces[0].waiting_times.sum(), absl::Seconds(10));
  EXPECT_TRUE(Snapshot().name_spaces[0].waits.empty());
}

TEST_F(ServerSnapshotTest, ARankMayHaveSeveralConnections) {
  const Peer first = Client();
  Say(first, R"(set "rollcall/rank/1" "2")");
  Say(first, R"(wait "/a")");
  const Peer second = Client();
  Say(second, R"(set "rollcall/rank/1" "2")");
  EXPECT_EQ(Snapshot().name_spaces[0].waits.at(0).rank, 1);
  EXPECT_EQ(Snapshot().name_spaces[0].nameless_connections, 0u);
  second->EndStream();
  loop_.RunUntilIdle();
  EXPECT_FALSE(Snapshot().name_spaces[0].ranks.at(0).gone.has_value());
}

TEST_F(ServerSnapshotTest, ASnapshotTellsWhoIsGoneAndWhatWentWrong) {
  const Peer rank1 = Client();
  Say(rank1, R"(set "rollcall/rank/1" "2")");
  Say(rank1, R"(wait "/never")");
  rank1->EndStream();
  loop_.RunUntilIdle();
  const Peer stranger = Connect();
  Send(stranger, "GET / HTTP/1.1\r\n");
  const ServerSnapshot snapshot = Snapshot();
  ASSERT_EQ(snapshot.name_spaces[0].ranks.size(), 1u);
  EXPECT_TRUE(snapshot.name_spaces[0].ranks[0].gone.has_value());
  ASSERT_EQ(snapshot.incidents.size(), 2u);
  EXPECT_EQ(snapshot.incidents[0].kind, IncidentKind::kLeftWaiting);
  EXPECT_EQ(snapshot.incidents[0].rank, 1);
  EXPECT_EQ(snapshot.incidents[1].kind, IncidentKind::kBadBytes);
  EXPECT_NE(snapshot.incidents[1].reason.find("HTTP"), std::string::npos);
  EXPECT_EQ(snapshot.metrics.incidents[static_cast<size_t>(IncidentKind::kBadBytes)], 1u);
}

TEST_F(ServerSnapshotTest, WhatWentWrongIsToldOfTheJobThatItHappenedIn) {
  options_.name_space_ports = {{.name_space = "jobA", .host = "", .port = 0},
                               {.name_space = "default", .host = "", .port = 0}};
  const Peer outside = Client();
  Say(outside, R"(set "/text" "x")");
  Say(outside, R"(add "/text" 1)");
  for (const size_t door : {0u, 1u}) {
    ASSERT_TRUE(core().ListenForNameSpace(door, {}).ok());
    const Peer inside =
        loop_.Connect(core().name_space_addresses(door).front().port(), net::SocketAddress());
    Send(inside, protocol::Greeting(Dialect::kModern));
    Say(inside, R"(set "/secret" "x")");
    Say(inside, R"(add "/secret" 1)");
  }
  const ServerSnapshot snapshot = Snapshot();
  ASSERT_EQ(snapshot.incidents.size(), 3u);
  EXPECT_EQ(snapshot.incidents[0].name_space, "");
  EXPECT_EQ(snapshot.incidents[1].name_space, "jobA");
  EXPECT_NE(snapshot.incidents[1].reason.find("/secret"), std::string::npos);
  EXPECT_EQ(snapshot.incidents[2].name_space, "");
}

TEST_F(ServerSnapshotTest, CountsRequestsBytesAndWhatIsStored) {
  const Peer client = Client();
  const std::string request = Request(R"(set "/key" "value")");
  Send(client, request);
  EXPECT_EQ(Ask(client, R"(get "/key")"), Reply(R"(bytes "value")"));
  const ServerSnapshot snapshot = Snapshot();
  const ServerMetrics& metrics = snapshot.metrics;
  EXPECT_EQ(metrics.work.requests, 2u);
  EXPECT_EQ(metrics.requests[static_cast<size_t>(protocol::Operation::kSet)], 1u);
  EXPECT_EQ(metrics.work.received_bytes, protocol::Greeting(Dialect::kModern).size() +
                                             request.size() + Request(R"(get "/key")").size());
  EXPECT_EQ(metrics.work.sent_bytes, Reply(R"(bytes "value")").size());
  EXPECT_EQ(snapshot.name_spaces[0].key_bytes, 4u);
  EXPECT_EQ(snapshot.name_spaces[0].value_bytes, 5u);
}

}  // namespace
}  // namespace rollcall
