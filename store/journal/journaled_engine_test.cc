// The engine by itself: what it gives back to the next one on the same journal.
#include "store/journal/journaled_engine.h"

#include <latch>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "net/real_env.h"
#include "store/engine/client_id.h"
#include "store/engine/store_engine.h"
#include "store/journal/fake_journal.h"
#include "store/protocol/dialect.h"
#include "store/protocol/operation.h"
#include "store/protocol/request.h"
#include "store/server/engine_port.h"
#include "store/server/late_replies.h"
#include "store/server/loop_number.h"
#include "store/server/server_engine.h"
#include "store/server/snapshot_parts.h"

namespace rollcall {
namespace {

using protocol::Operation;

constexpr engine::ClientId kClient = MakeClientId(1, 0, 0);
constexpr engine::ClientId kOther = MakeClientId(2, 0, 1);

// A server's life with one loop and no sockets.
class Life {
 public:
  explicit Life(FakeDisk& disk)
      : engine_(NewJournaledEngine(
                    {.open_journal = disk.Opener(net::RealEnv(), absl::ZeroDuration()),
                     .on_failure = [this](const absl::Status&) { failed_.count_down(); }})(
                    net::RealEnv(), 1)
                    .value()),
        port_(*engine_->port(0)) {
    port_.SetWake([] {});
  }
  // What is pending is written.
  ~Life() { port_.SetWake(nullptr); }

  void Connect(engine::ClientId client, const std::string& name_space) {
    InBatch([&] { port_.Connect(client, protocol::Dialect::kModern, name_space); });
  }
  void Disconnect(engine::ClientId client) {
    InBatch([&] { port_.Disconnect(client, absl::Now()); });
  }
  void Set(engine::ClientId client, const std::string& key, const std::string& value) {
    protocol::Request request{.operation = Operation::kSet, .keys = {key}, .values = {value}};
    InBatch([&] { port_.Apply(client, request, absl::Now(), replies_); });
  }
  void Delete(engine::ClientId client, const std::string& key) {
    protocol::Request request{.operation = Operation::kDeleteKey, .keys = {key}};
    InBatch([&] { port_.Apply(client, request, absl::Now(), replies_); });
  }
  // Of what is in the journal already, so that it is answered at once.
  std::string Get(engine::ClientId client, const std::string& key) {
    protocol::Request request{.operation = Operation::kGet, .keys = {key}};
    std::string value = "no answer";
    replies_.clear();
    InBatch([&] {
      port_.Apply(client, request, absl::Now(), replies_);
      if (!replies_.empty()) value = std::string(replies_[0].reply.texts[0]);
    });
    return value;
  }
  // A request with a number, before any session: it is refused.
  void BreakTheProtocol(engine::ClientId client) {
    protocol::Request head{.operation = Operation::kNumbered, .number = 1 << 20};
    protocol::Request request{.operation = Operation::kSet, .keys = {"k"}, .values = {"v"}};
    InBatch([&] {
      port_.Apply(client, head, absl::Now(), replies_);
      port_.Apply(client, request, absl::Now(), replies_);
    });
  }
  void AwaitFailure() { failed_.wait(); }
  // Whose connections are to be closed because a commit failed.
  std::set<engine::ClientId> TakeFailed() {
    std::set<engine::ClientId> failed;
    LateReplies late;
    port_.Begin(late);
    port_.End();
    late.ForEach([&](engine::ClientId to, LateKind kind, absl::string_view /*reason*/) {
      if (kind == LateKind::kEngineFailed) failed.insert(to);
    });
    return failed;
  }
  size_t keys() const { return port_.numbers().keys; }
  std::vector<EngineSnapshot> Snapshot() { return port_.Snapshot(); }

 private:
  template <typename Work>
  void InBatch(Work work) {
    LateReplies late;
    port_.Begin(late);
    work();
    port_.End();
  }

  std::latch failed_{1};
  const std::unique_ptr<ServerEngine> engine_;
  EnginePort& port_;
  engine::Replies replies_;
};

TEST(JournaledEngineTest, NameSpacesAreKeptApart) {
  FakeDisk disk(net::RealEnv());
  {
    Life life(disk);
    life.Connect(kClient, "job1");
    life.Connect(kOther, "");
    life.Set(kClient, "k", "of job1");
    life.Set(kOther, "k", "of nobody");
  }
  {
    Life life(disk);
    EXPECT_EQ(life.keys(), 2u);
    life.Connect(kClient, "job1");
    life.Connect(kOther, "job2");
    EXPECT_EQ(life.Get(kClient, "k"), "of job1");
    EXPECT_EQ(life.Get(kOther, "k"), "");
    // The name space goes with its last key and its last client; its journal with it.
    life.Delete(kClient, "k");
    life.Disconnect(kClient);
  }
  Life life(disk);
  EXPECT_EQ(life.keys(), 1u);
  life.Connect(kClient, "job1");
  life.Connect(kOther, "");
  EXPECT_EQ(life.Get(kClient, "k"), "");
  EXPECT_EQ(life.Get(kOther, "k"), "of nobody");
}

TEST(JournaledEngineTest, AFailedCommitHangsUpOnWhoWasToBeHungUpOnBehindItToo) {
  FakeDisk disk(net::RealEnv());
  disk.FailCommitAfter(0, absl::UnavailableError("the disk is gone"));
  disk.Hold();
  Life life(disk);
  life.Connect(kClient, "");
  life.Connect(kOther, "");
  life.Set(kOther, "k", "v");
  disk.AwaitHeldCommit();
  life.BreakTheProtocol(kClient);
  disk.Release(1);
  life.AwaitFailure();
  EXPECT_EQ(life.TakeFailed(), (std::set<engine::ClientId>{kClient, kOther}));
}

TEST(JournaledEngineTest, ASnapshotSaysWhichNameSpaceItIsOf) {
  FakeDisk disk(net::RealEnv());
  Life life(disk);
  life.Connect(kClient, "job1");
  const std::vector<EngineSnapshot> snapshots = life.Snapshot();
  ASSERT_EQ(snapshots.size(), 2u);
  EXPECT_EQ(snapshots[0].name_space, "");
  EXPECT_EQ(snapshots[1].name_space, "job1");
}

}  // namespace
}  // namespace rollcall
