// What fronts do where etcd does not do what they ask: it says no, is gone, or has forgotten.
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "fault_injection/proxy/fault_proxy.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "store/front/front_fixture.h"
#include "store/protocol/dialect.h"
#include "store/protocol/wire_text.h"
#include "testing/dist_error_matchers.h"

namespace rollcall {
namespace {

using protocol::Dialect;
using testing::AllOf;
using testing::HasSubstr;
using testing::StartsWith;

class FrontRefusalsTest : public FrontFixture {};

TEST_F(FrontRefusalsTest, ARequestThatIsTooLargeEndsItsClientAndSaysWhy) {
  StartCluster({.arguments = {"--max-request-bytes=100000"}});
  const std::unique_ptr<StoreServer> front = StartFront();
  const std::unique_ptr<TcpStore> other = Join(*front);
  RawPeer peer = Peer(*front);
  peer.Say(protocol::Greeting(Dialect::kModern) +
           ServerScenario::SetRequest("/k", std::string(200'000, 'x')));
  EXPECT_EQ(peer.HearToTheEnd(), "");
  EXPECT_THAT(LastIncident(*front),
              AllOf(StartsWith("ENGINE_FAILED: ETCD_REQUEST_TOO_LARGE in set of \"/k\""),
                    HasSubstr("too large")));
  EXPECT_EQ(other->Add("n", 1), 1);
}

TEST_F(FrontRefusalsTest, AQuotaThatIsUsedUpIsSaidWithItsRemedyAndReadsGoOn) {
  StartCluster({.arguments = {"--quota-backend-bytes=4000000"}});
  const std::unique_ptr<StoreServer> front = StartFront();
  const std::unique_ptr<TcpStore> reader = Join(*front);
  reader->Set("before", "v");
  const std::unique_ptr<TcpStore> writer = Join(*front);
  std::optional<DistError> error;
  for (int i = 0; i < 100 && !error.has_value(); ++i) {
    error = DistErrorOf([&] {
      writer->Set(absl::StrCat(i), std::string(500'000, 'x'));
      writer->Ping();
    });
  }
  ASSERT_TRUE(error.has_value());
  EXPECT_EQ(error->code(), ErrorCode::kConnectionLost) << error->what();
  EXPECT_THAT(LastIncident(*front),
              AllOf(StartsWith("ENGINE_FAILED: ETCD_NO_SPACE in set of \"/"),
                    HasSubstr("database space exceeded"), HasSubstr("--quota-backend-bytes"),
                    HasSubstr("etcdctl alarm disarm")));
  EXPECT_EQ(reader->Get("before"), "v");
}

TEST_F(FrontRefusalsTest, ManySmallSetsAreNotTooLargeTogether) {
  StartCluster({.arguments = {"--max-request-bytes=100000"}});
  const std::unique_ptr<StoreServer> front = StartFront();
  const std::unique_ptr<TcpStore> store = Join(*front);
  for (int i = 0; i < 40; ++i) store->Set(absl::StrCat(i), std::string(30'000, 'x'));
  EXPECT_EQ(store->NumKeys(), 40);
}

TEST_F(FrontRefusalsTest, AValueThatIsNoNumberIsTheClientsOwnDoing) {
  StartCluster();
  const std::unique_ptr<StoreServer> front = StartFront();
  const std::unique_ptr<TcpStore> store = Join(*front);
  store->Set("text", "x");
  EXPECT_DIST_ERROR(store->Add("text", 1), ErrorCode::kNotANumber);
  EXPECT_THAT(LastIncident(*front), StartsWith("BAD_REQUEST: add on the key \"/text\""));
}

TEST_F(FrontRefusalsTest, WithoutEtcdClientsAreHungUpOnAndWaitersWait) {
  StartCluster();
  FrontOptions options = {.etcd = Options()};
  options.patience = absl::Milliseconds(500);
  const std::unique_ptr<StoreServer> front = StartFront(options);
  const std::unique_ptr<TcpStore> store = Join(*front);
  store->Set("k", "v");
  EXPECT_EQ(store->Get("k"), "v");
  RawPeer waiter = Peer(*front);
  waiter.Say(protocol::Greeting(Dialect::kModern));
  ServerScenario::BeginWait(waiter, "/late");
  cluster().Kill(0);
  RawPeer asks = Peer(*front);
  asks.Say(protocol::Greeting(Dialect::kModern) + ServerScenario::Request(R"(add "/n" 1)"));
  EXPECT_EQ(asks.HearToTheEnd(), "");
  EXPECT_THAT(LastIncident(*front),
              AllOf(StartsWith("ENGINE_FAILED: ETCD_UNREACHABLE in add of \"/n\""),
                    HasSubstr(cluster().endpoint(0))));
  RestartMember();
  const std::unique_ptr<EtcdStore> direct = Open();
  direct->Set("late", "");
  EXPECT_EQ(waiter.Hear(1), ServerScenario::Reply("signal 0"));
  EXPECT_EQ(Join(*front)->Get("k"), "v");
}

TEST_F(FrontRefusalsTest, AFrontDoesNotStartWithoutEtcd) {
  EtcdOptions etcd = {.endpoints = {"127.0.0.1:1"}, .timeout = absl::Seconds(1)};
  const auto front =
      StoreServer::Start(env(), {.host = "127.0.0.1"}, NewFrontEngine({.etcd = etcd}));
  ASSERT_FALSE(front.ok());
  EXPECT_EQ(CodeOf(front.status()), ErrorCode::kEtcdUnreachable) << front.status();
  etcd.endpoints.clear();
  EXPECT_EQ(StoreServer::Start(env(), {.host = "127.0.0.1"}, NewFrontEngine({.etcd = etcd}))
                .status()
                .code(),
            absl::StatusCode::kInvalidArgument);
}

TEST_F(FrontRefusalsTest, ALostLeaseEndsAllItsClientsAndTheNextBeginsAnew) {
  StartCluster();
  const std::unique_ptr<StoreServer> front = StartFront();
  RawPeer waiter = Peer(*front);
  waiter.Say(protocol::Greeting(Dialect::kModern) + ServerScenario::SetRequest("/k", "v"));
  ServerScenario::BeginWait(waiter, "/never");
  int64_t lease = 0;
  ASSERT_TRUE(absl::SimpleAtoi(Ctl({"get", "/job/lease", "--print-value-only"}), &lease));
  Ctl({"lease", "revoke", absl::StrCat(absl::Hex(lease))});
  EXPECT_EQ(waiter.HearToTheEnd(), "");
  EXPECT_THAT(LastIncident(*front), StartsWith("ENGINE_FAILED: ETCD_LEASE_LOST"));
  const std::unique_ptr<TcpStore> next = Join(*front);
  EXPECT_FALSE(next->Check({"k"}));
  EXPECT_EQ(next->Add("n", 1), 1);
}

// --- A watch that is behind ---

class FrontBehindTest : public FrontFixture {
 protected:
  void SetUp() override {
    StartCluster();
    direct_ = Open();
    proxy_ = StartProxy();
    front_ = StartFront({.etcd = OptionsBehind(*proxy_)});
  }
  void TearDown() override { front_.reset(); }

  std::unique_ptr<fault::FaultProxy> proxy_;
  std::unique_ptr<EtcdStore> direct_;
  std::unique_ptr<StoreServer> front_;
};

TEST_F(FrontBehindTest, WaitsSurviveThatEtcdForgets) {
  std::vector<RawPeer> waiters;
  for (const absl::string_view request :
       {R"(wait "/key")", R"(wait "/queue")", R"(barrier "/barrier" 2)"}) {
    waiters.push_back(Peer(*front_));
    waiters.back().Say(protocol::Greeting(Dialect::kModern) + ServerScenario::Request(request));
    ServerScenario::ExpectServed(waiters.back());
  }
  RawPeer watcher = Peer(*front_);
  watcher.Say(ServerScenario::LegacyRequest(R"(watch_key "/key")"));
  EXPECT_EQ(watcher.Hear(1), ServerScenario::Reply("signal 3"));
  proxy_->BlackHole("etcd");
  direct_->Set("key", "v");
  direct_->QueuePush("queue", "v");
  direct_->Add("barrier", 1);
  for (int i = 0; i < 10; ++i) direct_->Set("other", absl::StrCat(i));
  const std::string status = Ctl({"endpoint", "status", "--write-out=fields"});
  const size_t at = status.find("\"Revision\" : ");
  ASSERT_NE(at, std::string::npos) << status;
  Ctl({"compact", status.substr(at + 13, status.find('\n', at) - at - 13)});
  proxy_->Reset("etcd");
  proxy_->HealAll("etcd");
  for (RawPeer& waiter : waiters) EXPECT_EQ(waiter.Hear(1), ServerScenario::Reply("signal 0"));
  // Who was to hear of every change cannot.
  EXPECT_EQ(watcher.HearToTheEnd(), "");
  EXPECT_THAT(LastIncident(*front_), HasSubstr("compacted"));
  while (front_->stats().keys != 3) env().SleepUntil(env().Now());
}

TEST_F(FrontBehindTest, AddsAreMadeOnceWhileTheFrontsConnectionsBreak) {
  constexpr int kAdds = 200;
  const std::unique_ptr<TcpStore> store = Join(*front_);
  const std::unique_ptr<net::Thread> adder = env().StartThread("adder", [&] {
    const auto failed = DistErrorOf([&] {
      for (int i = 0; i < kAdds; ++i) EXPECT_EQ(store->Add("n", 1), i + 1);
    });
    EXPECT_FALSE(failed.has_value()) << failed->what();
    direct_->Set("done", "");
  });
  for (std::string last; !direct_->Check({"done"});) {
    const std::string now = direct_->Get("n", absl::Minutes(1));
    if (now == last) continue;
    last = now;
    proxy_->Reset("etcd");
  }
  EXPECT_EQ(direct_->Get("n"), absl::StrCat(kAdds));
}

}  // namespace
}  // namespace rollcall
