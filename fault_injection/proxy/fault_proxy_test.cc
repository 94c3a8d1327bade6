// The way between client and server: slow, refused, silent, reset. The client and the server
// are those of production.
#include "fault_injection/proxy/fault_proxy.h"

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "fault_injection/proxy/fault_proxy_fixture.h"
#include "gtest/gtest.h"
#include "net/net_error.h"
#include "store/error_code.h"
#include "store/tcp_store.h"
#include "testing/dist_error_matchers.h"

namespace rollcall::fault {
namespace {

INSTANTIATE_TEST_SUITE_P(Rungs, FaultProxyTest, testing::Values(Rung::kSimulated, Rung::kReal),
                         RungName);

// --- Without a fault ---

TEST_P(FaultProxyTest, AStoreBehindItIsAStore) {
  StartBoth();
  const auto store = NewClient();
  const std::string large(1 << 20, 'x');
  store->Set("large", large);
  EXPECT_EQ(store->Get("large"), large);
  EXPECT_EQ(store->Add("n", 3), 3);
  store->QueuePush("q", "job");
  EXPECT_EQ(store->QueuePop("q"), "job");
  EXPECT_EQ(store->MultiGet(std::vector<std::string>{"n", "large"}).front(), "3");
  const RouteStats stats = proxy_->stats("w");
  EXPECT_EQ(stats.accepted, 1);
  EXPECT_EQ(stats.open, 1);
  EXPECT_GT(stats.to_server.bytes, 1 << 20);
  EXPECT_GT(stats.to_client.bytes, 1 << 20);
  // VALIDATE, ping, the count of joining, and what is above; a wait comes before each get and pop.
  EXPECT_GE(stats.to_server.frames, 9);
  EXPECT_GE(stats.to_client.frames, 7);
}

TEST_P(FaultProxyTest, ManyClientsHaveAConnectionEach) {
  StartBoth();
  std::vector<std::unique_ptr<TcpStore>> stores;
  for (int i = 0; i < 8; ++i) stores.push_back(NewClient());
  for (int i = 0; i < 8; ++i) EXPECT_EQ(stores[i]->Add("n", 1), i + 1);
  EXPECT_EQ(proxy_->stats("w").open, 8);
  stores.clear();
  Until([&] { return proxy_->stats("w").open == 0; });
}

TEST_P(FaultProxyTest, AHalfCloseIsOneOnTheOtherSide) {
  auto [client, server] = ConnectAcross();
  ASSERT_TRUE(client->Write("question", Now() + kLong).ok());
  ASSERT_TRUE(client->ShutdownWrite().ok());
  EXPECT_EQ(Read(*server, 8), "question");
  EXPECT_EQ(EndOf(*server), net::NetErrorKind::kClosedByPeer);
  ASSERT_TRUE(server->Write("answer", Now() + kLong).ok());
  ASSERT_TRUE(server->ShutdownWrite().ok());
  EXPECT_EQ(Read(*client, 6), "answer");
  EXPECT_EQ(EndOf(*client), net::NetErrorKind::kClosedByPeer);
  Until([&] { return proxy_->stats("w").open == 0; });
}

TEST_P(FaultProxyTest, AResetIsOneOnTheOtherSide) {
  auto [client, server] = ConnectAcross();
  ASSERT_TRUE(client->Write("question", Now() + kLong).ok());
  Until([&] { return proxy_->stats("w").to_server.bytes == 8; });
  server.reset();  // With something unread.
  EXPECT_EQ(EndOf(*client), net::NetErrorKind::kReset);
  Until([&] { return proxy_->stats("w").open == 0; });
}

TEST_P(FaultProxyTest, WhatIsNoStoreProtocolGoesThroughWithoutFrames) {
  auto [client, server] = ConnectAcross();
  ASSERT_TRUE(client->Write("GET / HTTP/1.1\r\n", Now() + kLong).ok());
  EXPECT_EQ(Read(*server, 16), "GET / HTTP/1.1\r\n");
  ASSERT_TRUE(server->Write("HTTP/1.1 200\r\n", Now() + kLong).ok());
  EXPECT_EQ(Read(*client, 14), "HTTP/1.1 200\r\n");
  EXPECT_EQ(proxy_->stats("w").to_server.frames, 0);
  EXPECT_EQ(proxy_->stats("w").to_client.frames, 0);
}

// --- Latency and rate ---

TEST_P(FaultProxyTest, LatencyIsAddedToEachDirection) {
  StartBoth();
  const auto store = NewClient();
  proxy_->SetLatency("w", Direction::kToServer, absl::Milliseconds(7));
  proxy_->SetLatency("w", Direction::kToClient, absl::Milliseconds(13));
  const absl::Time begin = Now();
  store->Add("n", 1);
  ExpectTook(begin, absl::Milliseconds(20));
  EXPECT_EQ(proxy_->stats("w").to_server.delayed, 1);
  EXPECT_EQ(proxy_->stats("w").to_client.delayed, 1);
  proxy_->HealAll("w");
  store->Add("n", 1);
  EXPECT_EQ(proxy_->stats("w").to_server.delayed, 1);
}

TEST_P(FaultProxyTest, JitterKeepsTheOrder) {
  StartBoth();
  const auto store = NewClient();
  proxy_->SetLatency("w", Direction::kToServer, absl::ZeroDuration(), absl::Milliseconds(2));
  for (int i = 0; i < 50; ++i) store->Append("k", std::string(1, static_cast<char>('0' + i)));
  std::string expected;
  for (int i = 0; i < 50; ++i) expected.push_back(static_cast<char>('0' + i));
  EXPECT_EQ(store->Get("k"), expected);
}

TEST_P(FaultProxyTest, ARateIsSharedByTheConnectionsOfTheRoute) {
  StartBoth();
  const auto one = NewClient();
  const auto other = NewClient();
  proxy_->SetRate("w", Direction::kToServer, 1'000'000);
  const absl::Time begin = Now();
  one->Set("a", std::string(20'000, 'a'));
  other->Set("b", std::string(20'000, 'b'));
  EXPECT_TRUE(one->Check(std::vector<std::string>{"a"}));
  EXPECT_TRUE(other->Check(std::vector<std::string>{"b"}));
  EXPECT_GE(Now() - begin, absl::Milliseconds(40));
  EXPECT_GT(proxy_->stats("w").to_server.delayed, 20);
}

// --- Black holes and refusals ---

TEST_P(FaultProxyTest, ABlackHoleAnswersNeitherConnectsNorRequests) {
  StartBoth();
  const auto store = NewClient();
  proxy_->BlackHole("w");
  const absl::Time begin = Now();
  EXPECT_DIST_ERROR(NewClient(kShort), ErrorCode::kConnectNoAnswer);
  ExpectTook(begin, kShort);
  store->SetTimeout(kShort);
  EXPECT_DIST_ERROR(store->Add("n", 1), ErrorCode::kReplyTimeout);
  proxy_->HealBlackHole("w");
  EXPECT_GE(NewClient()->Add("n", 1), 1);
  store->SetTimeout(kLong);
  EXPECT_GE(store->Add("n", 1), 2);
}

TEST_P(FaultProxyTest, ABlackHoleMayComeAndGoAgainAndAgain) {
  StartBoth();
  for (int i = 0; i < 3; ++i) {
    proxy_->BlackHole("w");
    proxy_->HealBlackHole("w");
    EXPECT_EQ(NewClient()->Add("n", 1), i + 1);
  }
  // The proxy's own connections, which filled the backlog, are no clients.
  EXPECT_EQ(proxy_->stats("w").accepted, 3);
}

TEST_P(FaultProxyTest, ARefusalLeavesWhatIsConnectedAlone) {
  StartBoth();
  const auto store = NewClient();
  const uint16_t port = proxy_->port("w");
  proxy_->Refuse("w");
  EXPECT_DIST_ERROR(NewClient(kShort), ErrorCode::kConnectRefused);
  EXPECT_EQ(store->Add("n", 1), 1);
  proxy_->HealRefuse("w");
  EXPECT_EQ(proxy_->port("w"), port);
  EXPECT_EQ(NewClient()->Add("n", 1), 2);
}

TEST_P(FaultProxyTest, ABlackHoleHidesARefusal) {
  StartBoth();
  proxy_->Refuse("w");
  proxy_->BlackHole("w");
  EXPECT_DIST_ERROR(NewClient(kShort), ErrorCode::kConnectNoAnswer);
  proxy_->HealBlackHole("w");
  EXPECT_DIST_ERROR(NewClient(kShort), ErrorCode::kConnectRefused);
}

TEST_P(FaultProxyTest, AFaultOfOneRouteLeavesTheOthersAlone) {
  StartServer();
  StartProxy({RouteTo(server_->port(), "w"), RouteTo(server_->port(), "v")});
  proxy_->BlackHole("v");
  proxy_->Cut("v", Direction::kToServer);
  EXPECT_EQ(NewClient()->Add("n", 1), 1);
  proxy_->Refuse("");
  EXPECT_DIST_ERROR(NewClient(kShort), ErrorCode::kConnectRefused);
  proxy_->HealAll("");
  EXPECT_EQ(NewClient()->Add("n", 1), 2);
}

// --- Ends ---

TEST_P(FaultProxyTest, AResetEndsAWaitAtOnce) {
  StartBoth();
  const auto store = NewClient();
  const auto waiter = Start([&] {
    const absl::Time begin = Now();
    EXPECT_DIST_ERROR(store->Wait(std::vector<std::string>{"never"}), ErrorCode::kConnectionLost);
    EXPECT_LT(Now() - begin, kLong);
  });
  Until([&] { return server_->stats().waiting_clients == 1; });
  proxy_->Reset("w");
  Until([&] { return server_->stats().waiting_clients == 0; });
  EXPECT_EQ(proxy_->stats("w").reset, 1);
}

TEST_P(FaultProxyTest, ClosedConnectionsEndInOrder) {
  StartBoth();
  const auto store = NewClient();
  const auto waiter = Start([&] {
    EXPECT_DIST_ERROR(store->Wait(std::vector<std::string>{"never"}), ErrorCode::kConnectionLost);
  });
  Until([&] { return server_->stats().waiting_clients == 1; });
  proxy_->CloseConnections("w");
  Until([&] { return server_->stats().waiting_clients == 0; });
  Until([&] { return proxy_->stats("w").open == 0; });
  EXPECT_EQ(proxy_->stats("w").closed, 1);
}

TEST_P(FaultProxyTest, AClientThatIsResetTwiceInItsHandshakeJoinsTheThirdTime) {
  StartBoth();
  proxy_->AcceptThenClose("w", Ending::kReset, 2);
  EXPECT_EQ(NewClient()->Add("n", 1), 1);
  EXPECT_EQ(proxy_->stats("w").turned_away, 2);
  EXPECT_EQ(proxy_->stats("w").accepted, 3);
}

TEST_P(FaultProxyTest, AClientWhoseHandshakeIsEndedTwiceJoinsTheThirdTime) {
  StartBoth();
  proxy_->AcceptThenClose("w", Ending::kFin, 2);
  EXPECT_EQ(NewClient()->Add("n", 1), 1);
  EXPECT_EQ(proxy_->stats("w").turned_away, 2);
}

TEST_P(FaultProxyTest, AClientThatIsAlwaysTurnedAwayFindsNoStore) {
  StartBoth();
  proxy_->AcceptThenClose("w", Ending::kFin, 1 << 30);
  EXPECT_DIST_ERROR(NewClient(kShort), ErrorCode::kNotAStore);
}

// --- A server that is not there ---

TEST_P(FaultProxyTest, AServerThatIsNotThereIsRefusedUntilItComes) {
  const uint16_t port = env_->Listen({.host = "127.0.0.1", .port = 0}).value()->address().port();
  StartProxy({RouteTo(port)});
  EXPECT_DIST_ERROR(NewClient(kShort), ErrorCode::kConnectRefused);
  const auto late = Start([&] { EXPECT_EQ(NewClient()->Add("n", 1), 1); });
  StartServer(port);
}

TEST_P(FaultProxyTest, AServerThatGoesIsRefusedFromThenOn) {
  StartBoth();
  const auto store = NewClient();
  const uint16_t port = server_->port();
  server_.reset();
  EXPECT_DIST_ERROR(store->Add("n", 1), ErrorCode::kConnectionLost);
  EXPECT_DIST_ERROR(NewClient(kShort), ErrorCode::kConnectRefused);
  EXPECT_GE(proxy_->stats("w").target_refusals, 1);
  StartServer(port);
  EXPECT_EQ(NewClient()->Add("n", 1), 1);
}

TEST_P(FaultProxyTest, WithoutASpareTheServerSeesNoConnectionButTheClients) {
  StartServer();
  Route route = RouteTo(server_->port());
  route.keeps_spare = false;
  StartProxy({route});
  EXPECT_EQ(NewClient()->Add("n", 1), 1);
  EXPECT_EQ(server_->stats().connections_accepted, 1u);
  server_.reset();
  EXPECT_DIST_ERROR(NewClient(absl::Milliseconds(150)), ErrorCode::kConnectRefused);
}

// --- The proxy itself ---

TEST_P(FaultProxyTest, NamesMustBeThereAndUnique) {
  EXPECT_EQ(FaultProxy::Start(*env_, syscalls_, {RouteTo(1, "")}).status().code(),
            absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(FaultProxy::Start(*env_, syscalls_, {RouteTo(1), RouteTo(1)}).status().code(),
            absl::StatusCode::kInvalidArgument);
}

TEST_P(FaultProxyTest, APortThatIsTakenIsAnError) {
  StartServer();
  Route route = RouteTo(server_->port());
  route.port = server_->port();
  const absl::Status started = FaultProxy::Start(*env_, syscalls_, {route}).status();
  ASSERT_TRUE(net::GetNetErrorInfo(started).has_value()) << started;
  EXPECT_EQ(net::GetNetErrorInfo(started)->kind, net::NetErrorKind::kAddressInUse);
}

TEST_P(FaultProxyTest, StoppingEndsTheConnectionsAndKeepsTheNumbers) {
  StartBoth();
  const auto store = NewClient();
  EXPECT_EQ(store->Add("n", 1), 1);
  proxy_->Stop();
  EXPECT_DIST_ERROR(store->Add("n", 1), ErrorCode::kConnectionLost);
  EXPECT_EQ(proxy_->stats("w").accepted, 1);
  proxy_->Cut("w", Direction::kToServer);
}

}  // namespace
}  // namespace rollcall::fault
