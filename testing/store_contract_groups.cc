// The contract, part four: what groups of ranks do on a store.
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "store/collectives.h"
#include "store/elastic.h"
#include "store/prefix_store.h"
#include "testing/dist_error_matchers.h"
#include "testing/store_contract.h"

namespace rollcall {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr absl::Duration kLong = absl::Seconds(30);

// A store to which nobody will come any more: a wait ends at once if what it is for is not there
// yet, unless it is for `awaited`. So the time-out of a collective that lacks somebody can be as
// long as its requests may take on a busy machine, and costs no time. That waits end at their
// deadlines is part two of the contract.
class NobodyElseComes final : public PrefixStore {
 public:
  using PrefixStore::Wait;

  explicit NobodyElseComes(std::unique_ptr<Store> store, std::string awaited = "")
      : PrefixStore("group", std::move(store)), awaited_(std::move(awaited)) {}

  void Wait(absl::Span<const std::string> keys, absl::Duration timeout) override {
    const bool is_awaited = keys.size() == 1 && keys[0] == awaited_;
    PrefixStore::Wait(keys, is_awaited ? timeout : absl::ZeroDuration());
  }
  std::vector<std::string> MultiGet(absl::Span<const std::string> keys) override {
    Wait(keys);
    return PrefixStore::MultiGet(keys);
  }

 private:
  const std::string awaited_;
};

std::vector<int> MissingIn(const std::function<void()>& collective) {
  const auto error = DistErrorOf(collective);
  return error.has_value() ? error->details().missing_ranks : std::vector<int>();
}

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
  NobodyElseComes first(Join());
  NobodyElseComes third(Join());
  Collectives rank0(env(), first, {0, 4}, "job");
  Collectives rank2(env(), third, {2, 4}, "job");
  EXPECT_THAT(MissingIn([&] { rank0.Barrier("step", kLong); }), ElementsAre(1, 2, 3));
  EXPECT_THAT(MissingIn([&] { rank2.Barrier("step", kLong); }), ElementsAre(1, 3));
  const auto error = DistErrorOf([&] { rank0.Barrier("step", kLong); });
  ASSERT_TRUE(error.has_value());
  EXPECT_EQ(error->code(), ErrorCode::kBarrierTimeout);
  EXPECT_THAT(error->details().missing_ranks, ElementsAre(1, 3));
  EXPECT_EQ(error->details().world_size, 4);
  EXPECT_THAT(error->what(), HasSubstr("missing ranks: 1, 3"));
}

TEST_P(StoreContract, ABarrierThatTimedOutCanBeWaitedForAgain) {
  NobodyElseComes early_store(Join());
  NobodyElseComes late_store(Join());
  Collectives early(env(), early_store, {0, 2}, "job");
  EXPECT_DIST_ERROR(early.Barrier("step", kLong), ErrorCode::kBarrierTimeout);
  EXPECT_DIST_ERROR(early.Barrier("step", kLong), ErrorCode::kBarrierTimeout);
  Collectives late(env(), late_store, {1, 2}, "job");
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
  NobodyElseComes alone(Join());
  Collectives group(env(), alone, {0, 3}, "job");
  const auto error = DistErrorOf([&] { group.AllGather("x", "mine", kLong); });
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
  NobodyElseComes alone(Join());
  alone.SetTimeout(absl::Seconds(99));
  Collectives group(env(), alone, {0, 2}, "job");
  EXPECT_DIST_ERROR(group.Barrier("step", kLong), ErrorCode::kBarrierTimeout);
  EXPECT_EQ(alone.timeout(), absl::Seconds(99));
  EXPECT_DIST_ERROR(group.Synchronize("x", "", kLong), ErrorCode::kGatherTimeout);
  EXPECT_EQ(alone.timeout(), absl::Seconds(99));
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
  NobodyElseComes alone(Join());
  alone.SetTimeout(absl::Seconds(99));
  EXPECT_DIST_ERROR(elastic::Synchronize(alone, "data", 0, 2, "test", kLong),
                    ErrorCode::kWaitTimeout);
  EXPECT_EQ(alone.timeout(), absl::Seconds(99));
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
  const auto expect_timeout = [](int rank, Store& mine, const std::string& text) {
    const auto error = DistErrorOf([&] {
      elastic::Barrier(mine, 3, "test",
                       {.timeout = kLong,
                        .rank = rank,
                        .rank_name = [](int r) { return absl::StrCat("Rank ", r, " host"); },
                        .trace_timeout = kLong});
    });
    ASSERT_TRUE(error.has_value());
    EXPECT_EQ(error->code(), ErrorCode::kBarrierTimeout);
    EXPECT_THAT(error->what(), HasSubstr(text));
  };
  NobodyElseComes rank0(Join(), /*awaited=*/"test1/TRACE");
  NobodyElseComes rank1(Join(), /*awaited=*/"test/TRACING_GATE");
  Start([&] { expect_timeout(0, rank0, "missing_ranks=[Rank 2 host]"); });
  Start([&] { expect_timeout(1, rank1, "check rank 0 (Rank 0 host) for missing rank"); });
  JoinThreads();
}

TEST_P(StoreContract, ElasticBarrierThatNamesRanksNeedsItsOwn) {
  elastic::BarrierOptions options;
  options.rank_name = [](int) { return std::string("x"); };
  EXPECT_THROW(elastic::Barrier(store(), 1, "test", options), std::invalid_argument);
}

}  // namespace
}  // namespace rollcall
