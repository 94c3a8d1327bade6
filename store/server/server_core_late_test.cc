// Connections to an engine that answers later.
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "store/engine/store_engine.h"
#include "store/protocol/dialect.h"
#include "store/protocol/request.h"
#include "store/protocol/wire_text.h"
#include "store/server/core_scenario.h"
#include "store/server/engine_port.h"
#include "store/server/incident.h"
#include "store/server/late_replies.h"
#include "store/server/server_cores.h"
#include "testing/fake_event_loop.h"

namespace rollcall {
namespace {

constexpr size_t kFull = 3;

// Does nothing before it is told to.
class LateEngine final : public EnginePort {
 public:
  // One request, of whatever client; false if there is none.
  bool DoNext() {
    if (asked_.empty()) return false;
    auto [client, request] = std::move(asked_.front());
    asked_.pop_front();
    engine::Replies replies;
    engine_.Apply(client, request, absl::UnixEpoch(), replies);
    for (const engine::Outgoing& outgoing : replies) inbox_.Append(outgoing.to, outgoing.reply);
    const size_t left = --load_[client];
    if (full_.contains(client) && left < kFull) {
      full_.erase(client);
      inbox_.Append(client, LateKind::kGoOn, "");
    }
    if (leaving_.contains(client) && left == 0) {
      leaving_.erase(client);
      inbox_.Append(client, LateKind::kGoOn, "");
    }
    if (wake_) wake_();
    return true;
  }
  void FailNext(absl::string_view reason) {
    inbox_.Append(asked_.front().first, LateKind::kEngineFailed, reason);
    asked_.pop_front();
    wake_();
  }
  size_t asked() const { return asked_.size(); }
  bool can_be_woken() const { return wake_ != nullptr; }

  void SetWake(absl::AnyInvocable<void()> wake) override { wake_ = std::move(wake); }
  void Begin(LateReplies& late) override {
    if (!inbox_.empty()) inbox_.Swap(late);
  }
  void End() override {}
  void Connect(engine::ClientId client, protocol::Dialect dialect,
               absl::string_view /*name_space*/) override {
    engine_.Connect(client, dialect);
  }
  bool Disconnect(engine::ClientId client, absl::Time now) override {
    return engine_.Disconnect(client, now);
  }
  void Apply(engine::ClientId from, protocol::Request& request, absl::Time /*now*/,
             engine::Replies& /*replies*/) override {
    asked_.emplace_back(from, std::move(request));
    ++load_[from];
  }
  bool replies_outlive_batches() const override { return false; }
  bool answers_later() const override { return true; }
  bool IsFull(engine::ClientId client) override {
    if (load_[client] < kFull) return false;
    full_[client] = true;
    return true;
  }
  bool IsDone(engine::ClientId client) override {
    if (load_[client] == 0 && inbox_.empty()) return true;
    leaving_[client] = true;
    return false;
  }
  bool Awaits(engine::ClientId client) override { return engine_.Awaits(client); }
  std::vector<EngineSnapshot> Snapshot() override { return {TakeEngineSnapshot(engine_)}; }
  EngineNumbers numbers() const override { return {}; }

 private:
  engine::StoreEngine engine_;
  std::deque<std::pair<engine::ClientId, protocol::Request>> asked_;
  std::map<engine::ClientId, size_t> load_;
  std::map<engine::ClientId, bool> full_;
  std::map<engine::ClientId, bool> leaving_;
  LateReplies inbox_;
  absl::AnyInvocable<void()> wake_;
};

class ServerCoreLateTest : public testing::Test {
 protected:
  using Peer = std::shared_ptr<FakePeer>;

  ~ServerCoreLateTest() override {
    core_.reset();
    EXPECT_FALSE(engine_.can_be_woken());
    loop_.RunUntilIdle();
    EXPECT_EQ(loop_.pending_timers(), 0u);
  }

  ServerCores& core() {
    if (core_ == nullptr) {
      core_ = std::make_unique<ServerCores>(
          std::vector<ServerLoop>{{.loop = &loop_, .engine = &engine_}}, options_);
      EXPECT_TRUE(core_->Listen({}).ok());
    }
    return *core_;
  }
  Peer Client() {
    Peer peer = loop_.Connect(core().addresses().front().port());
    Send(peer, protocol::Greeting(protocol::Dialect::kModern));
    return peer;
  }
  void Send(const Peer& peer, absl::string_view bytes) {
    peer->Send(bytes);
    loop_.RunUntilIdle();
  }
  bool DoNext() {
    const bool done = engine_.DoNext();
    loop_.RunUntilIdle();
    return done;
  }

  ServerOptions options_;
  FakeEventLoop loop_;
  LateEngine engine_;
  std::unique_ptr<ServerCores> core_;
};

TEST_F(ServerCoreLateTest, AReplyComesWhenTheEngineHasIt) {
  const Peer client = Client();
  Send(client, Request(R"(add "/n" 1)"));
  EXPECT_EQ(client->TakeReceived(), "");
  EXPECT_TRUE(DoNext());
  EXPECT_EQ(client->TakeReceived(), Reply("number 1"));
}

TEST_F(ServerCoreLateTest, WhoAsksForMuchIsNotReadFromUntilSomeIsDone) {
  const Peer client = Client();
  const Peer other = Client();
  Send(client, Repeated(Request(R"(add "/n" 1)"), 10));
  EXPECT_EQ(engine_.asked(), kFull);
  EXPECT_FALSE(client->read_from());
  Send(other, Request("ping 1"));
  EXPECT_EQ(engine_.asked(), kFull + 1);
  std::string heard;
  int done = 0;
  while (DoNext()) {
    ++done;
    EXPECT_LE(engine_.asked(), kFull + 1);
    heard += client->TakeReceived();
  }
  EXPECT_EQ(done, 11);
  EXPECT_EQ(heard.size(), 80u);
  EXPECT_TRUE(client->read_from());
  Send(client, Request("ping 2"));
  EXPECT_TRUE(DoNext());
  EXPECT_EQ(client->TakeReceived(), Reply("nonce 2"));
}

TEST_F(ServerCoreLateTest, WhoIsFullAndDoesNotTakeItsRepliesGoesOnWhenItHas) {
  options_.unsent_bytes_soft_max = 7;
  const Peer client = Client();
  client->SetWindow(0);
  Send(client, Repeated(Request(R"(add "/n" 1)"), 10));
  while (DoNext()) continue;
  EXPECT_FALSE(client->read_from());
  // The first kFull were done, and what came of them is more than may be unsent.
  EXPECT_EQ(core().stats().requests, kFull);
  client->SetWindow(1 << 20);
  loop_.RunUntilIdle();
  while (DoNext()) continue;
  EXPECT_EQ(client->TakeReceived().size(), 80u);
  EXPECT_TRUE(client->read_from());
}

TEST_F(ServerCoreLateTest, WhoClosesItsSideGetsWhatItHasAskedFor) {
  const Peer client = Client();
  client->Send(Repeated(Request(R"(add "/n" 1)"), 10));
  client->EndStream();
  loop_.RunUntilIdle();
  EXPECT_FALSE(client->closed_by_server());
  while (DoNext()) continue;
  EXPECT_EQ(client->TakeReceived().size(), 80u);
  EXPECT_TRUE(client->closed_by_server());
  EXPECT_EQ(core().stats().connections, 0u);
}

TEST_F(ServerCoreLateTest, WhatIsWrongEndsAConnectionAfterTheAnswersBeforeIt) {
  const Peer client = Client();
  Send(client, Request("ping 1") + Request("ping 2") + "\xff");
  EXPECT_FALSE(client->closed_by_server());
  EXPECT_TRUE(DoNext());
  EXPECT_TRUE(DoNext());
  EXPECT_EQ(client->TakeReceived(), Reply("nonce 1") + Reply("nonce 2"));
  EXPECT_TRUE(client->closed_by_server());
  EXPECT_EQ(core().stats().connections_refused, 1u);
}

TEST_F(ServerCoreLateTest, WhoGoesWhileTheEngineIsAtItIsForgotten) {
  const Peer client = Client();
  Send(client, Repeated(Request(R"(add "/n" 1)"), 10));
  client->Reset();
  loop_.RunUntilIdle();
  EXPECT_EQ(core().stats().connections, 0u);
  while (DoNext()) continue;
}

TEST_F(ServerCoreLateTest, WhatTheEngineCannotDoEndsAConnectionAndIsNotItsFault) {
  const Peer client = Client();
  Send(client, Request(R"(add "/n" 1)") + Request(R"(add "/n" 1)"));
  EXPECT_TRUE(DoNext());
  engine_.FailNext("ETCD_NO_LEADER: why");
  loop_.RunUntilIdle();
  EXPECT_EQ(client->TakeReceived(), Reply("number 1"));
  EXPECT_TRUE(client->closed_by_server());
  const LoopSnapshot snapshot = core().SnapshotOfLoop(0);
  ASSERT_EQ(snapshot.incidents.size(), 1u);
  EXPECT_EQ(snapshot.incidents[0].kind, IncidentKind::kEngineFailed);
  EXPECT_EQ(snapshot.incidents[0].reason, "ETCD_NO_LEADER: why");
}

TEST_F(ServerCoreLateTest, AShutdownWaitsForAnswersAsLongAsTheGraceTime) {
  const Peer answered = Client();
  const Peer other = Client();
  Send(answered, Request(R"(add "/n" 1)"));
  Send(other, Request(R"(add "/n" 1)"));
  bool ended = false;
  core().Shutdown([&](net::EventLoop*) { ended = true; });
  loop_.RunUntilIdle();
  EXPECT_FALSE(ended);
  EXPECT_TRUE(DoNext());
  EXPECT_EQ(answered->TakeReceived(), Reply("number 1"));
  EXPECT_TRUE(answered->closed_by_server());
  EXPECT_FALSE(ended);
  loop_.AdvanceBy(options_.shutdown_grace);
  EXPECT_TRUE(other->closed_by_server());
  EXPECT_TRUE(ended);
}

}  // namespace
}  // namespace rollcall
