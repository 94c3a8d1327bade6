// Who is let in, and who is not.
#include "store/server/entrance.h"

#include <cstdint>
#include <memory>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "net/network.h"
#include "store/server/core_scenario.h"
#include "store/server/incident.h"
#include "store/server/loops_scenario.h"
#include "testing/fake_event_loop.h"

namespace rollcall {
namespace {

class EntranceTest : public CoreScenario {
 protected:
  bool LetsIn(absl::string_view host) {
    const Peer peer = Connect(host);
    const bool is_in = !peer->closed_by_server();
    peer->EndStream();
    loop_.RunUntilIdle();
    return is_in;
  }

  uint64_t Counted(IncidentKind kind) {
    return Snapshot().metrics.incidents[static_cast<size_t>(kind)];
  }
};

TEST_F(EntranceTest, OnlyThoseFromTheNetworksListedAreLetIn) {
  options_.allow = net::ParseNetworks("10.0.0.0/8,::1").value();
  for (const absl::string_view host : {"10.1.2.3", "::ffff:10.1.2.3", "::1"}) {
    EXPECT_TRUE(LetsIn(host)) << host;
  }
  for (const absl::string_view host : {"127.0.0.1", "11.0.0.1", "::ffff:11.0.0.1", "::2"}) {
    EXPECT_FALSE(LetsIn(host)) << host;
  }
  EXPECT_EQ(stats().connections_accepted, 7u);
  EXPECT_EQ(stats().connections_refused, 4u);
  EXPECT_EQ(Counted(IncidentKind::kNotAllowed), 4u);
  EXPECT_EQ(Snapshot().incidents.size(), 4u);
  EXPECT_EQ(Snapshot().incidents[1].peer.host(), "11.0.0.1");
}

TEST_F(EntranceTest, WhoIsTurnedAwayIsOfTheDoorsNameSpace) {
  options_.allow = net::ParseNetworks("10.0.0.0/8").value();
  options_.name_space_ports = {{.name_space = "jobA", .host = "", .port = 0}};
  EXPECT_FALSE(LetsIn("192.0.2.1"));
  ASSERT_TRUE(core().ListenForNameSpace(0, {}).ok());
  loop_.Connect(core().name_space_addresses(0).front().port(),
                net::SocketAddress::FromNumeric("192.0.2.2", 4711).value());
  loop_.RunUntilIdle();
  const ServerSnapshot snapshot = Snapshot();
  ASSERT_EQ(snapshot.incidents.size(), 2u);
  EXPECT_EQ(snapshot.incidents[0].name_space, "");
  EXPECT_EQ(snapshot.incidents[1].name_space, "jobA");
}

TEST_F(EntranceTest, WhoIsTurnedAwayTakesNoPlace) {
  options_.allow = net::ParseNetworks("10.0.0.0/8").value();
  options_.connections_max = 1;
  for (int i = 0; i < 100; ++i) EXPECT_FALSE(LetsIn("192.0.2.1"));
  EXPECT_TRUE(LetsIn("10.0.0.1"));
  // Counted, but not told of a hundred times.
  EXPECT_EQ(Counted(IncidentKind::kNotAllowed), 100u);
  EXPECT_LT(Snapshot().incidents.size(), 20u);
}

TEST_F(EntranceTest, AnAddressHasItsShareAndNotTheOthers) {
  options_.connections_per_peer_max = 2;
  const Peer first = Connect("10.0.0.1");
  const Peer second = Connect("10.0.0.1");
  EXPECT_TRUE(Connect("10.0.0.1")->closed_by_server());
  EXPECT_TRUE(LetsIn("10.0.0.2"));
  EXPECT_EQ(Counted(IncidentKind::kTooManyOfOnePeer), 1u);
  EXPECT_EQ(stats().connections_refused, 1u);
  first->EndStream();
  loop_.RunUntilIdle();
  EXPECT_TRUE(LetsIn("10.0.0.1"));
}

TEST_F(EntranceTest, WhoFindsTheServerFullTakesNoPlaceOfItsAddressEither) {
  options_.connections_per_peer_max = 2;
  options_.connections_max = 2;
  const Peer first = Connect("10.0.0.1");
  const Peer other = Connect("10.0.0.2");
  EXPECT_TRUE(Connect("10.0.0.1")->closed_by_server());
  EXPECT_EQ(Counted(IncidentKind::kTooManyConnections), 1u);
  other->EndStream();
  loop_.RunUntilIdle();
  EXPECT_FALSE(Connect("10.0.0.1")->closed_by_server());
}

class EntranceOfManyLoopsTest : public LoopsScenario {};

TEST_F(EntranceOfManyLoopsTest, TheShareOfAnAddressIsOverAllLoops) {
  options_.connections_per_peer_max = 4;
  std::vector<std::shared_ptr<FakePeer>> peers;
  for (int i = 0; i < 4; ++i) peers.push_back(Client());
  EXPECT_TRUE(Connect()->closed_by_server());
  // Of another loop than the one that accepts.
  peers[2]->Reset();
  loops().Settle();
  EXPECT_FALSE(Connect()->closed_by_server());
  EXPECT_TRUE(Connect()->closed_by_server());
}

TEST_F(EntranceOfManyLoopsTest, WhoIsOnItsWayToALoopThatIsGoneIsGoneToo) {
  options_.connections_per_peer_max = 4;
  loops();
  std::vector<std::shared_ptr<FakePeer>> peers;
  for (int i = 0; i < 4; ++i) peers.push_back(loops().Connect());
  loops().loop(0).RunUntilIdle();  // And no other.
}

}  // namespace
}  // namespace rollcall
