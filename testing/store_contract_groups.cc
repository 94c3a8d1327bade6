// The contract, part four: what groups of ranks do on a store.
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "store/collectives.h"
#include "store/elastic.h"
#include "testing/dist_error_matchers.h"
#include "testing/store_contract.h"

namespace rollcall {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr absl::Duration kLong = absl::Seconds(30);
constexpr absl::Duration kShort = absl::Milliseconds(60);

// Runs body(rank, store) for every rank, each in a thread and on a store of its own.
#define RUN_RANKS(world_size, body)                                           \
  do {                                                                        \
    std::vector<std::unique_ptr<Store>> stores;                               \
    for (int rank = 0; rank < (world_size); ++rank) stores.push_back(Join()); \
    for (int rank = 0; rank < (world_size); ++rank) {                         \
      Start([&, rank] { (body)(rank, *stores[static_cast<size_t>(rank)]); }); \
    }                                                                         \
    JoinThreads();                                                            \
  } while (false)

TEST_P(StoreContract, CollectiveBarrierCanBeUsedAgain) {
  const auto rank_body = [&](int rank, Store& mine) {
    Collectives group(env(), mine, {rank, 3}, "job");
    for (int round = 0; round < 4; ++round) {
      mine.Add(absl::StrCat("came/", round), 1);
      group.Barrier("step", kLong);
      EXPECT_EQ(mine.Get(absl::StrCat("came/", round)), "3");
    }
  };
  RUN_RANKS(3, rank_body);
}

TEST_P(StoreContract, CollectiveBarrierNamesTheMissingRanks) {
  const auto rank_body = [&](int rank, Store& mine) {
    if (rank == 1 || rank == 3) return;
    Collectives group(env(), mine, {rank, 4}, "job");
    const auto error = DistErrorOf([&] { group.Barrier("step", absl::Seconds(1)); });
    ASSERT_TRUE(error.has_value());
    EXPECT_EQ(error->code(), ErrorCode::kBarrierTimeout);
    EXPECT_THAT(error->details().missing_ranks, ElementsAre(1, 3));
    EXPECT_EQ(error->details().world_size, 4);
    EXPECT_THAT(error->what(), HasSubstr("missing ranks: 1, 3"));
  };
  RUN_RANKS(4, rank_body);
}

TEST_P(StoreContract, ABarrierThatTimedOutCanBeWaitedForAgain) {
  std::unique_ptr<Store> late_store = Join();
  Collectives early(env(), store(), {0, 2}, "job");
  EXPECT_DIST_ERROR(early.Barrier("step", kShort), ErrorCode::kBarrierTimeout);
  EXPECT_DIST_ERROR(early.Barrier("step", kShort), ErrorCode::kBarrierTimeout);
  Collectives late(env(), *late_store, {1, 2}, "job");
  late.Barrier("step", kLong);
  early.Barrier("step", kLong);
}

TEST_P(StoreContract, AllGatherBringsEveryRanksValueToEveryRank) {
  const auto rank_body = [&](int rank, Store& mine) {
    Collectives group(env(), mine, {rank, 3}, "job");
    for (int round = 0; round < 3; ++round) {
      EXPECT_THAT(group.AllGather("x", absl::StrCat(round, "/", rank), kLong),
                  ElementsAre(absl::StrCat(round, "/0"), absl::StrCat(round, "/1"),
                              absl::StrCat(round, "/2")));
    }
  };
  RUN_RANKS(3, rank_body);
}

TEST_P(StoreContract, GatherBringsThemToTheRoot) {
  const auto rank_body = [&](int rank, Store& mine) {
    Collectives group(env(), mine, {rank, 3}, "job");
    const std::vector<std::string> values =
        group.Gather("x", absl::StrCat("value ", rank), /*root=*/1, kLong);
    if (rank == 1) {
      EXPECT_THAT(values, ElementsAre("value 0", "value 1", "value 2"));
    } else {
      EXPECT_THAT(values, ElementsAre());
    }
  };
  RUN_RANKS(3, rank_body);
}

TEST_P(StoreContract, GatherNamesTheMissingRanks) {
  Collectives group(env(), store(), {0, 3}, "job");
  const auto error = DistErrorOf([&] { group.AllGather("x", "mine", absl::Seconds(1)); });
  ASSERT_TRUE(error.has_value());
  EXPECT_EQ(error->code(), ErrorCode::kGatherTimeout);
  EXPECT_THAT(error->details().missing_ranks, ElementsAre(1, 2));
}

TEST_P(StoreContract, SynchronizeGathersAndRankZeroLeavesLast) {
  const auto rank_body = [&](int rank, Store& mine) {
    Collectives group(env(), mine, {rank, 3}, "job");
    for (int round = 0; round < 2; ++round) {
      EXPECT_THAT(group.Synchronize("x", absl::StrCat(rank), kLong), ElementsAre("0", "1", "2"));
    }
  };
  RUN_RANKS(3, rank_body);
}

TEST_P(StoreContract, CollectivesPutTheStoresTimeoutBack) {
  store().SetTimeout(absl::Seconds(99));
  Collectives group(env(), store(), {0, 2}, "job");
  EXPECT_DIST_ERROR(group.Barrier("step", kShort), ErrorCode::kBarrierTimeout);
  EXPECT_EQ(store().timeout(), absl::Seconds(99));
  EXPECT_DIST_ERROR(group.Synchronize("x", "", kShort), ErrorCode::kGatherTimeout);
  EXPECT_EQ(store().timeout(), absl::Seconds(99));
}

TEST_P(StoreContract, ACollectiveWithATimeoutOfZeroAsksWhoHasCome) {
  Collectives group(env(), store(), {0, 2}, "job");
  const auto error = DistErrorOf([&] { group.Barrier("step", absl::ZeroDuration()); });
  ASSERT_TRUE(error.has_value());
  EXPECT_EQ(error->code(), ErrorCode::kBarrierTimeout);
  EXPECT_THAT(error->details().missing_ranks, ElementsAre(1));
  Collectives alone(env(), store(), {0, 1}, "alone");
  alone.Barrier("step", absl::ZeroDuration());
}

TEST_P(StoreContract, CollectivesLeaveLittleBehind) {
  Collectives group(env(), store(), {0, 1}, "job");
  for (int round = 0; round < 2; ++round) group.Barrier("step", kLong);
  const int64_t after_two = store().NumKeys();
  for (int round = 0; round < 10; ++round) group.Barrier("step", kLong);
  EXPECT_EQ(store().NumKeys(), after_two);
}

TEST_P(StoreContract, CollectivesRefuseImpossiblePlaces) {
  EXPECT_THROW(Collectives(env(), store(), {2, 2}, "job"), std::invalid_argument);
  EXPECT_THROW(Collectives(env(), store(), {-1, 2}, "job"), std::invalid_argument);
  EXPECT_THROW(Collectives(env(), store(), {0, 0}, "job"), std::invalid_argument);
  Collectives group(env(), store(), {0, 1}, "job");
  EXPECT_THROW(group.Gather("x", "", /*root=*/1, kLong), std::invalid_argument);
}

// --- torchelastic's helpers ---

TEST_P(StoreContract, ElasticSynchronize) {
  const auto rank_body = [](int rank, Store& mine) {
    EXPECT_THAT(
        elastic::Synchronize(mine, absl::StrCat("data", rank), rank, 3, "torchelastic/test"),
        ElementsAre("data0", "data1", "data2"));
  };
  RUN_RANKS(3, rank_body);
  EXPECT_EQ(store().Get("torchelastic/test1"), "data1");
  EXPECT_EQ(store().Get("torchelastic/test/finished/num_members"), "3");
}

TEST_P(StoreContract, ElasticSynchronizePutsTheTimeoutBack) {
  store().SetTimeout(absl::Seconds(99));
  EXPECT_DIST_ERROR(elastic::Synchronize(store(), "data", 0, 2, "test", kShort),
                    ErrorCode::kWaitTimeout);
  EXPECT_EQ(store().timeout(), absl::Seconds(99));
}

TEST_P(StoreContract, ElasticBarrier) {
  const auto rank_body = [](int rank, Store& mine) {
    elastic::Barrier(mine, 3, "test", {.timeout = kLong, .rank = rank});
  };
  RUN_RANKS(3, rank_body);
  EXPECT_EQ(store().Get("test/num_members"), "3");
  EXPECT_TRUE(store().Check({"test/last_member"}));
}

TEST_P(StoreContract, ElasticBarrierTracesMissingRanks) {
  const auto rank_body = [](int rank, Store& mine) {
    if (rank == 2) return;
    const auto error = DistErrorOf([&] {
      elastic::Barrier(mine, 3, "test",
                       {.timeout = absl::Milliseconds(200),
                        .rank = rank,
                        .rank_name = [](int r) { return absl::StrCat("Rank ", r, " host"); },
                        .trace_timeout = absl::Milliseconds(300)});
    });
    ASSERT_TRUE(error.has_value());
    EXPECT_EQ(error->code(), ErrorCode::kBarrierTimeout);
    EXPECT_THAT(error->what(),
                HasSubstr(rank == 0 ? "missing_ranks=[Rank 2 host]"
                                    : "check rank 0 (Rank 0 host) for missing rank"));
  };
  RUN_RANKS(3, rank_body);
}

TEST_P(StoreContract, ElasticBarrierThatNamesRanksNeedsItsOwn) {
  elastic::BarrierOptions options;
  options.rank_name = [](int) { return std::string("x"); };
  EXPECT_THROW(elastic::Barrier(store(), 1, "test", options), std::invalid_argument);
}

}  // namespace
}  // namespace rollcall
