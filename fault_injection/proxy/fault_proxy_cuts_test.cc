// Cuts of the way, and what comes of what was on it.
#include <cstddef>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "fault_injection/proxy/fault_proxy.h"
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

TEST_P(FaultProxyTest, ACutTowardTheClientIsAReplyTimeoutUntilItHeals) {
  StartBoth();
  const auto store = NewClient();
  proxy_->Cut("w", Direction::kToClient);
  store->SetTimeout(kShort);
  const absl::Time begin = Now();
  EXPECT_DIST_ERROR(store->Add("n", 1), ErrorCode::kReplyTimeout);
  ExpectTook(begin, kShort);
  EXPECT_EQ(proxy_->stats("w").to_client.held, 1);
  proxy_->Heal("w", Direction::kToClient);
  store->SetTimeout(kLong);
  EXPECT_EQ(store->Add("n", 1), 2);  // The first one was done.
}

TEST_P(FaultProxyTest, ACutTowardTheServerKeepsTheRequestFromIt) {
  StartBoth();
  const auto store = NewClient();
  proxy_->Cut("w", Direction::kToServer);
  store->SetTimeout(kShort);
  EXPECT_DIST_ERROR(store->Add("n", 1), ErrorCode::kReplyTimeout);
  EXPECT_FALSE(NewDirectClient()->Check(std::vector<std::string>{"n"}));
  EXPECT_EQ(proxy_->stats("w").to_server.held, 1);
}

TEST_P(FaultProxyTest, WhatACutHeldBackArrivesWhenItHeals) {
  StartBoth();
  const auto store = NewClient();
  proxy_->Cut("w", Direction::kToServer);
  const auto caller = Start([&] { EXPECT_EQ(store->Add("n", 5), 5); });
  Until([&] { return proxy_->stats("w").to_server.held == 1; });
  proxy_->Heal("w", Direction::kToServer);
}

TEST_P(FaultProxyTest, AResetIsLostInACutWithWhatTheCutHeldBack) {
  auto [client, server] = ConnectAcross();
  ASSERT_TRUE(client->Write("question", Now() + kLong).ok());
  Until([&] { return proxy_->stats("w").to_server.bytes == 8; });
  proxy_->Cut("w", Direction::kToClient);
  ASSERT_TRUE(server->Write("answer", Now() + kLong).ok());
  Until([&] { return proxy_->stats("w").to_client.held == 1; });
  server.reset();  // With something unread.
  Until([&] { return proxy_->stats("w").to_client.lost == 2; });
  proxy_->Heal("w", Direction::kToClient);
  char byte;
  const absl::Status silence = client->Read(&byte, 1, Now() + kShort).status();
  EXPECT_EQ(net::GetNetErrorInfo(silence)->kind, net::NetErrorKind::kTimedOut);
  ASSERT_TRUE(client->Write("more", Now() + kLong).ok());
  EXPECT_EQ(EndOf(*client), net::NetErrorKind::kReset);
  Until([&] { return proxy_->stats("w").open == 0; });
}

TEST_P(FaultProxyTest, WhoIsNotAcknowledgedHearsOfALostResetWhenTheCutHeals) {
  auto [client, server] = ConnectAcross();
  proxy_->Cut("w", Direction::kToClient);
  ASSERT_TRUE(client->Write("question", Now() + kLong).ok());
  Until([&] { return proxy_->stats("w").to_server.bytes == 8; });
  server.reset();  // With something unread.
  Until([&] { return proxy_->stats("w").to_client.lost == 1; });
  EXPECT_EQ(proxy_->stats("w").open, 1);
  proxy_->Heal("w", Direction::kToClient);
  EXPECT_EQ(EndOf(*client), net::NetErrorKind::kReset);
}

TEST_P(FaultProxyTest, OfTwoResetsThatMissEachOtherNothingIsLeft) {
  auto [client, server] = ConnectAcross();
  ASSERT_TRUE(client->Write("question", Now() + kLong).ok());
  ASSERT_TRUE(server->Write("answer", Now() + kLong).ok());
  Until([&] { return proxy_->stats("w").to_server.bytes == 8; });
  Until([&] { return proxy_->stats("w").to_client.bytes == 6; });
  proxy_->BlackHole("w");
  client.reset();  // Both with something unread.
  server.reset();
  Until([&] { return proxy_->stats("w").open == 0; });
}

TEST_P(FaultProxyTest, AMachineThatWasLostAnswersWithAResetWhenItIsBack) {
  auto [client, server] = ConnectAcross();
  proxy_->BlackHole("w");
  proxy_->LoseSenders("w", Direction::kToClient);
  server.reset();  // In good order, which nobody must see.
  ASSERT_TRUE(client->Write("anybody?", Now() + kLong).ok());
  char byte;
  const absl::Status silence = client->Read(&byte, 1, Now() + kShort).status();
  EXPECT_EQ(net::GetNetErrorInfo(silence)->kind, net::NetErrorKind::kTimedOut);
  proxy_->HealBlackHole("w");
  EXPECT_EQ(EndOf(*client), net::NetErrorKind::kReset);
}

TEST_P(FaultProxyTest, AConnectAcrossACutIsNotAnswered) {
  StartBoth();
  proxy_->Cut("w", Direction::kToClient);
  EXPECT_DIST_ERROR(NewClient(kShort), ErrorCode::kConnectNoAnswer);
  proxy_->Heal("w", Direction::kToClient);
  EXPECT_EQ(NewClient()->Add("n", 1), 1);
}

TEST_P(FaultProxyTest, ASenderIsHeldBackByACutAndLosesNothing) {
  auto [client, server] = ConnectAcross();
  proxy_->Cut("w", Direction::kToServer);
  std::string sent(32 << 20, 'x');
  for (size_t i = 0; i < sent.size(); i += 1000) sent[i] = static_cast<char>('a' + i % 23);
  // More than the proxy and both kernels hold.
  EXPECT_FALSE(client->Write(sent, Now() + kShort).ok());
  EXPECT_EQ(proxy_->stats("w").to_server.bytes, 0);
  proxy_->Heal("w", Direction::kToServer);
  const std::string received = Read(*server, 4 << 20);
  EXPECT_EQ(received, sent.substr(0, 4 << 20));
}

TEST_P(FaultProxyTest, AResetBehindDelayedBytesComesWhenTheyHaveGone) {
  auto [client, server] = ConnectAcross();
  proxy_->SetLatency("w", Direction::kToClient, 4 * kShort);
  ASSERT_TRUE(client->Write("unread", Now() + kLong).ok());
  Until([&] { return proxy_->stats("w").to_server.bytes == 6; });
  EXPECT_FALSE(server->Write(std::string(32 << 20, 'x'), Now() + kShort).ok());
  server.reset();
  std::vector<char> buffer(1 << 20);
  absl::StatusOr<size_t> got = size_t{0};
  while (got.ok()) got = client->Read(buffer.data(), buffer.size(), Now() + kLong);
  EXPECT_EQ(net::GetNetErrorInfo(got.status())->kind, net::NetErrorKind::kReset) << got.status();
  // How far a real kernel fills its buffers in that time is its own affair.
  EXPECT_GT(proxy_->stats("w").to_client.bytes, is_simulated() ? 4 << 20 : 0);
  EXPECT_EQ(proxy_->stats("w").open, 0);
}

}  // namespace
}  // namespace rollcall::fault
