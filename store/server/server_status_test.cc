#include "store/server/server_status.h"

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace rollcall {
namespace {

using testing::HasSubstr;

class ServerStatusTest : public testing::Test {
 protected:
  ServerStatusTest() {
    snapshot_.started = absl::FromUnixSeconds(1000);
    snapshot_.now = absl::FromUnixSeconds(1100);
  }

  absl::Time Ago(int seconds) const { return snapshot_.now - absl::Seconds(seconds); }
  static net::SocketAddress Peer(int port) {
    return net::SocketAddress::LoopbackV4(static_cast<uint16_t>(port));
  }
  void Joined(int rank, int seconds_ago) {
    snapshot_.name_spaces[0].ranks.push_back(
        {.rank = rank, .peer = Peer(10000 + rank), .joined = Ago(seconds_ago)});
  }
  void Waits(int rank, int seconds_ago, std::vector<std::string> keys, bool at_barrier = false) {
    WaitSeen& wait = snapshot_.name_spaces[0].waits.emplace_back();
    wait = {.peer = Peer(10000 + rank), .rank = rank, .since = Ago(seconds_ago)};
    wait.at_barrier = at_barrier;
    wait.missing = keys.size();
    wait.names = std::move(keys);
    ++snapshot_.name_spaces[0].waiting_clients;
  }
  ServerStatus Status() const { return StatusOf(snapshot_); }

  ServerSnapshot snapshot_;
};

TEST_F(ServerStatusTest, NamesTheRanksThatAreMissingOrGone) {
  snapshot_.name_spaces[0].world_size_told = 8;
  for (const int rank : {0, 1, 2, 4, 7}) Joined(rank, 50);
  snapshot_.name_spaces[0].ranks[3].gone = Ago(3);
  Waits(1, 20, {"/leader"});
  const ServerStatus status = Status();
  EXPECT_EQ(status.rank_states, "jwjmgmmj");
  EXPECT_EQ(status.joined, 4u);
  EXPECT_EQ(status.missing, 3u);
  EXPECT_EQ(status.missing_ranks, "3, 5, 6");
  EXPECT_EQ(status.gone_ranks, "4");
  EXPECT_EQ(status.summary, "4 of 8 ranks are connected. Missing: 3, 5, 6. Gone: 4.");
  EXPECT_EQ(status.wait_summary, "1 client waits, the longest for 20s for the key \"leader\".");
  EXPECT_FALSE(status.world_size_from_flag);
}

TEST_F(ServerStatusTest, TheFlagCountsMoreThanWhatClientsSay) {
  snapshot_.world_size_flag = 2;
  snapshot_.name_spaces[0].world_size_told = 8;
  Joined(0, 50);
  Joined(1, 40);
  EXPECT_EQ(Status().world_size, 2);
  EXPECT_EQ(Status().summary, "All 2 ranks have joined.");
}

TEST_F(ServerStatusTest, WithoutAWorldSizeNobodyIsMissing) {
  Joined(0, 50);
  Joined(3, 40);
  EXPECT_EQ(Status().missing, 0u);
  EXPECT_EQ(Status().rank_states, "jmmj");
  EXPECT_THAT(Status().summary, HasSubstr("2 ranks are connected; how many are expected is not"));
}

TEST_F(ServerStatusTest, SaysWhatItCannotKnowOfTorchClients) {
  snapshot_.name_spaces[0].nameless_connections = 3;
  snapshot_.name_spaces[0].nameless = {{Peer(1), protocol::Dialect::kModern},
                                       {Peer(2), protocol::Dialect::kLegacy},
                                       {Peer(3), std::nullopt}};
  snapshot_.name_spaces[0].workers_joined = 2;
  snapshot_.world_size_flag = 4;
  Waits(-1, 7, {"/default_pg/0//worker\n1"});
  snapshot_.name_spaces[0].waits[0].peer = Peer(2);
  const ServerStatus status = Status();
  EXPECT_THAT(status.summary, HasSubstr("which ranks they are is not known"));
  EXPECT_THAT(status.summary, HasSubstr("2 of 4 workers have counted themselves in"));
  ASSERT_EQ(status.clients.size(), 3u);
  EXPECT_EQ(status.clients[0].address, "127.0.0.1:2") << "who waits comes first";
  EXPECT_EQ(status.clients[0].dialect, "legacy");
  EXPECT_EQ(status.clients[0].key, "default_pg/0//worker\\n1");
  EXPECT_EQ(status.clients[2].dialect, "");
  ASSERT_EQ(status.waits.size(), 1u);
  EXPECT_EQ(status.waits[0].nameless, 1u);
}

TEST_F(ServerStatusTest, SaysForWhomTheOthersWait) {
  snapshot_.name_spaces[0].world_size_told = 4096;
  for (int rank = 0; rank < 4096; ++rank) {
    Joined(rank, 100);
    if (rank != 17 && rank != 900) Waits(rank, 30, {"/epoch_7"}, /*at_barrier=*/true);
  }
  Waits(17, 60, {"/data", "/more"});
  const ServerStatus status = Status();
  ASSERT_EQ(status.waits.size(), 3u);
  EXPECT_EQ(status.waits_in_all, 3u);
  EXPECT_EQ(status.waits[0].key, "data") << "the longest first";
  EXPECT_EQ(status.waits[0].absent_ranks, "");
  const WaitStatus& barrier = status.waits[2];
  EXPECT_TRUE(barrier.at_barrier);
  EXPECT_EQ(barrier.waiters, 4094u);
  EXPECT_EQ(barrier.ranks, "0-16, 18-899, 901-4095");
  EXPECT_EQ(barrier.absent_ranks, "17, 900");
  EXPECT_EQ(barrier.longest, absl::Seconds(30));
}

TEST_F(ServerStatusTest, ListsAreBoundedAndCounted) {
  for (int i = 0; i < 1000; ++i) Waits(-1, i, {absl::StrCat("/", i)});
  snapshot_.name_spaces[0].nameless_connections = 1000;
  const ServerStatus status = Status();
  EXPECT_EQ(status.waits.size(), kStatusWaitsMax);
  EXPECT_EQ(status.waits_in_all, 1000u);
  EXPECT_EQ(status.waits[0].key, "999");
  EXPECT_EQ(status.clients_in_all, 1000u);
  snapshot_.world_size_flag = 2'000'000'000;
  EXPECT_EQ(Status().rank_states.size(), static_cast<size_t>(kStatusRanksMax));
}

TEST_F(ServerStatusTest, TheSlowestJoinedLast) {
  Joined(0, 90);
  EXPECT_TRUE(Status().slowest.empty());
  for (int rank = 1; rank < 10; ++rank) Joined(rank, 80 - rank);
  const ServerStatus status = Status();
  ASSERT_EQ(status.slowest.size(), kStatusSlowestMax);
  EXPECT_EQ(status.slowest[0].rank, 9);
  EXPECT_EQ(status.slowest[0].after_first, absl::Seconds(19));
}

TEST_F(ServerStatusTest, ErrorsComeNewestFirstAndInPrintableWords) {
  snapshot_.incidents.push_back({.when = Ago(9), .kind = IncidentKind::kBadBytes, .peer = Peer(1)});
  snapshot_.incidents.push_back({.when = Ago(3), .reason = "said \"x\"\x1b[2J\xff"});
  const ServerStatus status = Status();
  ASSERT_EQ(status.incidents.size(), 2u);
  EXPECT_EQ(status.incidents[0].reason, "said \"x\"\\x1b[2J\\xff");
  EXPECT_EQ(status.incidents[0].address, "");
  EXPECT_EQ(status.incidents[1].info->code, "BAD_BYTES");
  EXPECT_EQ(status.incidents[1].address, "127.0.0.1:1");
}

TEST_F(ServerStatusTest, AJobSeesItsOwnErrorsAndTheServerThoseOfAll) {
  snapshot_.name_spaces.emplace_back().name = "jobA";
  snapshot_.incidents = {{.when = Ago(3), .name_space = std::nullopt},
                         {.when = Ago(2), .name_space = "jobA", .reason = "of A"},
                         {.when = Ago(1), .name_space = "", .reason = "of the default one"}};
  const ServerStatus of_all = Status();
  ASSERT_EQ(of_all.incidents.size(), 3u);
  EXPECT_EQ(of_all.incidents[0].name_space, "default");
  EXPECT_EQ(of_all.incidents[1].name_space, "jobA");
  EXPECT_EQ(of_all.incidents[2].name_space, std::nullopt);
  const ServerStatus of_default = StatusOf(snapshot_, snapshot_.name_spaces[0]);
  ASSERT_EQ(of_default.incidents.size(), 1u);
  EXPECT_EQ(of_default.incidents[0].reason, "of the default one");
  const ServerStatus of_job = StatusOf(snapshot_, snapshot_.name_spaces[1]);
  ASSERT_EQ(of_job.incidents.size(), 1u);
  EXPECT_EQ(of_job.incidents[0].reason, "of A");
}

TEST_F(ServerStatusTest, TellsAllOfOneRank) {
  snapshot_.name_spaces[0].world_size_told = 3;
  Joined(1, 50);
  Waits(1, 20, {"/a", "/b"});
  const std::optional<RankDetails> details = DetailsOf(snapshot_, snapshot_.name_spaces[0], 1);
  ASSERT_TRUE(details.has_value());
  EXPECT_EQ(details->state, RankState::kWaiting);
  EXPECT_EQ(details->address, "127.0.0.1:10001");
  EXPECT_EQ(details->waiting_time, absl::Seconds(20));
  EXPECT_THAT(details->keys, testing::ElementsAre("a", "b"));
  EXPECT_EQ(DetailsOf(snapshot_, snapshot_.name_spaces[0], 2)->state, RankState::kMissing);
  EXPECT_EQ(DetailsOf(snapshot_, snapshot_.name_spaces[0], 3), std::nullopt);
  EXPECT_EQ(DetailsOf(snapshot_, snapshot_.name_spaces[0], -1), std::nullopt);
}

TEST(RankRangesTest, AreShortWhateverIsMissing) {
  EXPECT_EQ(RankRanges({}), "");
  EXPECT_EQ(RankRanges({5}), "5");
  EXPECT_EQ(RankRanges({0, 1, 3, 4, 5, 9}), "0, 1, 3-5, 9");
  std::vector<int> even;
  for (int rank = 0; rank < 4096; rank += 2) even.push_back(rank);
  EXPECT_THAT(RankRanges(even), testing::EndsWith("60, 62 and 2016 more"));
}

TEST(ShownDurationTest, HasTwoUnitsAtMost) {
  EXPECT_EQ(ShownDuration(absl::Milliseconds(120)), "120ms");
  EXPECT_EQ(ShownDuration(absl::Seconds(59.9)), "59s");
  EXPECT_EQ(ShownDuration(absl::Seconds(61)), "1m 1s");
  EXPECT_EQ(ShownDuration(absl::Minutes(125)), "2h 5m");
  EXPECT_EQ(ShownDuration(absl::Hours(50)), "2d 2h");
}

}  // namespace
}  // namespace rollcall
