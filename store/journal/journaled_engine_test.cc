// The engine by itself: what it gives back to the next one on the same journal.
#include "store/journal/journaled_engine.h"

#include <cstdint>
#include <optional>
#include <set>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "net/real_env.h"
#include "store/engine/client_id.h"
#include "store/journal/engine_life.h"
#include "store/journal/fake_journal.h"
#include "store/protocol/operation.h"
#include "store/server/journal_figures.h"
#include "store/server/loop_number.h"
#include "store/server/snapshot_parts.h"

namespace rollcall {
namespace {

constexpr engine::ClientId kClient = MakeClientId(1, 0, 0);
constexpr engine::ClientId kOther = MakeClientId(2, 0, 1);

TEST(JournaledEngineTest, NameSpacesAreKeptApart) {
  FakeDisk disk(net::RealEnv());
  {
    EngineLife life(disk);
    life.Connect(kClient, "job1");
    life.Connect(kOther, "");
    life.Set(kClient, "k", "of job1");
    life.Set(kOther, "k", "of nobody");
  }
  {
    EngineLife life(disk);
    EXPECT_EQ(life.keys(), 2u);
    life.Connect(kClient, "job1");
    life.Connect(kOther, "job2");
    EXPECT_EQ(life.Get(kClient, "k"), "of job1");
    EXPECT_EQ(life.Get(kOther, "k"), "");
    // The name space goes with its last key and its last client; its journal with it.
    life.Delete(kClient, "k");
    life.Disconnect(kClient);
  }
  EngineLife life(disk);
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
  EngineLife life(disk);
  life.Connect(kClient, "");
  life.Connect(kOther, "");
  life.Set(kOther, "k", "v");
  disk.AwaitHeldCommit();
  // A request with a number, before any session: it is refused.
  life.Say(kClient, EngineLife::Numbered(1));
  life.Say(kClient, EngineLife::MakeRequest(protocol::Operation::kSet, {"k"}, {"v"}));
  disk.Release(1);
  life.AwaitFailure();
  EXPECT_EQ(life.TakeFailed(), (std::set<engine::ClientId>{kClient, kOther}));
}

TEST(JournaledEngineTest, CountsWhatItHasWrittenAndWhoWaitsForIt) {
  FakeDisk disk(net::RealEnv());
  {
    EngineLife life(disk);
    life.Connect(kClient, "");
    disk.Hold();
    life.Set(kClient, "key", "value");
    disk.AwaitHeldCommit();
    life.Say(kClient, EngineLife::MakeRequest(protocol::Operation::kNumKeys));
    life.Say(kClient, EngineLife::MakeRequest(protocol::Operation::kNumKeys));
    JournalFigures figures = life.Journal();
    EXPECT_EQ(figures.commits, 0u);
    EXPECT_GE(figures.under_way, absl::ZeroDuration());
    EXPECT_EQ(figures.waiting_replies, 2u);
    disk.Release(1);
    life.Ask(kClient, {EngineLife::MakeRequest(protocol::Operation::kNumKeys)});
    figures = life.Journal();
    EXPECT_EQ(figures.commits, 1u);
    EXPECT_EQ(figures.changes, 1u);
    EXPECT_EQ(figures.changed_bytes, 8u);
    EXPECT_EQ(figures.under_way, std::nullopt);
    EXPECT_EQ(figures.waiting_replies, 0u);
    EXPECT_EQ(figures.database_bytes, FakeDisk::kCommitBytes);
    EXPECT_EQ(figures.log_bytes, FakeDisk::kCommitBytes);
    EXPECT_EQ(figures.recovered_keys, 0u);
    uint64_t observed = 0;
    for (const uint64_t count : figures.commit_times.counts()) observed += count;
    EXPECT_EQ(observed, 1u);
    disk.Release(100);
    life.Ask(kClient, {EngineLife::MakeRequest(protocol::Operation::kSession, {"s"})});
    EXPECT_EQ(life.Journal().sessions, 1u);
  }
  EngineLife life(disk);
  EXPECT_EQ(life.Journal().commits, 0u);
  EXPECT_EQ(life.Journal().recovered_keys, 1u);
  EXPECT_EQ(life.Journal().sessions, 1u);
  EXPECT_FALSE(life.Journal().has_failed);
  disk.FailCommitAfter(0, absl::UnavailableError("the disk is gone"));
  disk.Release(100);
  life.Connect(kClient, "");
  life.Set(kClient, "key", "value");
  life.AwaitFailure();
  EXPECT_TRUE(life.Journal().has_failed);
  EXPECT_EQ(life.Journal().commits, 0u);
}

TEST(JournaledEngineTest, ASnapshotSaysWhichNameSpaceItIsOf) {
  FakeDisk disk(net::RealEnv());
  EngineLife life(disk);
  life.Connect(kClient, "job1");
  const std::vector<EngineSnapshot> snapshots = life.Snapshot();
  ASSERT_EQ(snapshots.size(), 2u);
  EXPECT_EQ(snapshots[0].name_space, "");
  EXPECT_EQ(snapshots[1].name_space, "job1");
}

}  // namespace
}  // namespace rollcall
