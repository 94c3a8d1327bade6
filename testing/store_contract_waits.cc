// The contract, part two: waiting, time-outs, and threads that share a store.
#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "testing/dist_error_matchers.h"
#include "testing/store_contract.h"

namespace rollcall {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr absl::Duration kShort = absl::Milliseconds(30);

TEST_P(StoreContract, WaitForWhatIsThereReturnsAtOnce) {
  store().Set("k", "v");
  store().Wait({"k"});
  store().Wait({"k", "k"});
  store().Wait({});
}

TEST_P(StoreContract, WaitTimesOutAndNamesTheKeys) {
  store().Set("there", "v");
  const absl::Time start = env().Now();
  const auto error = DistErrorOf([&] { store().Wait({"there", "bad_key"}, kShort); });
  EXPECT_GE(env().Now() - start, kShort);
  ASSERT_TRUE(error.has_value());
  EXPECT_EQ(error->code(), ErrorCode::kWaitTimeout);
  EXPECT_THAT(error->what(), HasSubstr("timeout"));
  EXPECT_THAT(error->what(), HasSubstr("bad_key"));
  EXPECT_EQ(error->details().operation, "wait");
  EXPECT_GE(error->details().elapsed, kShort);
}

TEST_P(StoreContract, ATimeoutLeavesTheStoreUsable) {
  for (int round = 0; round < 3; ++round) {
    EXPECT_DIST_ERROR(store().Get("not yet", kShort), ErrorCode::kWaitTimeout);
    EXPECT_EQ(store().Add("n", 1), round + 1);
    store().Set("k", absl::StrCat(round));
    EXPECT_EQ(store().Get("k"), absl::StrCat(round));
  }
  store().Set("not yet", "now");
  EXPECT_EQ(store().Get("not yet"), "now");
}

TEST_P(StoreContract, ATimeoutOfZeroAsksWhatIsThereNow) {
  store().Set("k", "v");
  store().Wait({"k"}, absl::ZeroDuration());
  EXPECT_EQ(store().Get("k", absl::ZeroDuration()), "v");
  EXPECT_DIST_ERROR(store().Wait({"k", "missing"}, absl::ZeroDuration()), ErrorCode::kWaitTimeout);
  EXPECT_DIST_ERROR(store().Get("missing", absl::ZeroDuration()), ErrorCode::kWaitTimeout);
}

TEST_P(StoreContract, TheStoresOwnTimeoutIsTheDefault) {
  store().SetTimeout(kShort);
  EXPECT_EQ(store().timeout(), kShort);
  EXPECT_DIST_ERROR(store().Get("missing"), ErrorCode::kWaitTimeout);
  EXPECT_DIST_ERROR(store().Wait({"missing"}), ErrorCode::kWaitTimeout);
  EXPECT_DIST_ERROR(store().MultiGet({"missing"}), ErrorCode::kWaitTimeout);
}

TEST_P(StoreContract, EveryWayToMakeAKeyWakesItsWaiter) {
  std::unique_ptr<Store> waiter = Join();
  const std::vector<std::pair<std::string, std::function<void()>>> makers = {
      {"set", [&] { store().Set("set", "v"); }},
      {"compare_set", [&] { store().CompareSet("compare_set", "", "v"); }},
      {"add", [&] { store().Add("add", 1); }},
      {"append", [&] { store().Append("append", "v"); }},
      {"multi_set",
       [&] {
         store().MultiSet({"x", "multi_set"}, {"v", "v"});
       }},
  };
  for (const auto& [key, make] : makers) {
    Start([&waiter, key = key] { waiter->Wait({key}, absl::Seconds(30)); });
    make();
    JoinThreads();
  }
}

TEST_P(StoreContract, AFailedCompareSetWakesNobody) {
  std::unique_ptr<Store> waiter = Join();
  Start([&] { EXPECT_DIST_ERROR(waiter->Wait({"k"}, kShort), ErrorCode::kWaitTimeout); });
  EXPECT_EQ(store().CompareSet("k", "expected", "desired"), "expected");
  JoinThreads();
}

TEST_P(StoreContract, AWaitForManyKeysNeedsThemAll) {
  std::unique_ptr<Store> waiter = Join();
  store().Set("a", "1");
  std::atomic<bool> released = false;
  Start([&] {
    waiter->Wait({"a", "b", "c", "b"}, absl::Seconds(30));
    released = true;
  });
  store().Set("b", "2");
  EXPECT_DIST_ERROR(store().Wait({"c"}, kShort), ErrorCode::kWaitTimeout);
  EXPECT_FALSE(released);
  store().Set("c", "3");
  JoinThreads();
}

TEST_P(StoreContract, GetReturnsWhatWasSetWhileItWaited) {
  std::unique_ptr<Store> waiter = Join();
  Start([&] { EXPECT_EQ(waiter->Get("k", absl::Seconds(30)), "v"); });
  Start([&] { store().Set("k", "v"); });
  JoinThreads();
}

TEST_P(StoreContract, AWaitInOneThreadDoesNotHoldUpAnother) {
  // One store object, two threads.
  Start([&] { store().Wait({"second"}, absl::Seconds(30)); });
  Start([&] { EXPECT_EQ(store().Get("first", absl::Seconds(30)), "1"); });
  for (int i = 0; i < 10; ++i) EXPECT_EQ(store().Add("n", 1), i + 1);
  store().Set("first", "1");
  store().Set("second", "2");
  JoinThreads();
  EXPECT_EQ(store().Get("n"), "10");
}

TEST_P(StoreContract, WritesOfOneThreadTakeEffectInOrder) {
  // While another thread of the same object waits, comes and goes.
  Start([&] { store().Wait({"end"}, absl::Seconds(30)); });
  for (int i = 0; i < 50; ++i) {
    store().Set("k", absl::StrCat(i));
    ASSERT_EQ(store().Get("k"), absl::StrCat(i));
    store().Append("log", absl::StrCat(i, ","));
  }
  store().Set("end", "");
  JoinThreads();
  EXPECT_THAT(store().Get("log"), testing::StartsWith("0,1,2,3,"));
}

TEST_P(StoreContract, ManyThreadsAddToOneCounter) {
  constexpr int kThreads = 8;
  constexpr int kAdds = 50;
  std::vector<std::unique_ptr<Store>> stores;
  for (int i = 0; i < kThreads; ++i) stores.push_back(Join());
  for (std::unique_ptr<Store>& mine : stores) {
    Start([&mine] {
      for (int i = 0; i < kAdds; ++i) mine->Add("counter", 1);
    });
  }
  JoinThreads();
  EXPECT_EQ(store().Get("counter"), absl::StrCat(kThreads * kAdds));
}

TEST_P(StoreContract, ThreadsThatShareAStoreKeepTheirAnswersApart) {
  constexpr int kThreads = 6;
  for (int i = 0; i < kThreads; ++i) {
    Start([this, i] {
      for (int round = 0; round < 20; ++round) {
        const std::string key = absl::StrCat("key/", i);
        const std::string value = absl::StrCat(i, ":", round);
        store().Set(key, value);
        ASSERT_EQ(store().Get(key), value);
      }
    });
  }
  JoinThreads();
}

TEST_P(StoreContract, MultiGetWaitsForAll) {
  std::unique_ptr<Store> waiter = Join();
  Start([&] { EXPECT_THAT(waiter->MultiGet({"a", "b"}), ElementsAre("1", "2")); });
  store().Set("b", "2");
  store().Set("a", "1");
  JoinThreads();
}

TEST_P(StoreContract, OtherStoresLeaveAndTheWorldGoesOn) {
  for (int i = 0; i < 5; ++i) {
    std::unique_ptr<Store> other = Join();
    EXPECT_DIST_ERROR(other->Wait({"later"}, absl::Milliseconds(1)), ErrorCode::kWaitTimeout);
  }
  store().Set("later", "v");
  EXPECT_EQ(store().Get("later"), "v");
}

// --- The store's own barrier ---

TEST_P(StoreContract, BarrierReleasesAllOnceAllHaveCome) {
  constexpr int kRanks = 4;
  std::vector<std::unique_ptr<Store>> ranks;
  for (int i = 0; i < kRanks; ++i) ranks.push_back(Join());
  std::atomic<int> came = 0;
  for (std::unique_ptr<Store>& rank : ranks) {
    Start([&, &mine = rank] {
      ++came;
      mine->Barrier("b", kRanks, absl::Seconds(30));
      EXPECT_EQ(came, kRanks);
    });
  }
  JoinThreads();
}

TEST_P(StoreContract, BarrierSeesWhatWasSetBeforeIt) {
  std::unique_ptr<Store> other = Join();
  Start([&] {
    other->Set("mine", "1");
    other->Barrier("b", 2, absl::Seconds(30));
  });
  store().Barrier("b", 2, absl::Seconds(30));
  EXPECT_TRUE(store().Check({"mine"}));
  JoinThreads();
}

TEST_P(StoreContract, BarrierTimesOut) {
  // A store may open a connection for its first barrier: not within so short a time.
  store().Barrier("before", 1, absl::Seconds(30));
  const auto error = DistErrorOf([&] { store().Barrier("b", 2, kShort); });
  ASSERT_TRUE(error.has_value());
  EXPECT_EQ(error->code(), ErrorCode::kBarrierTimeout);
  EXPECT_THAT(error->what(), HasSubstr("barrier timeout after 30ms, key: "));
  store().Set("k", "v");
  EXPECT_EQ(store().Get("k"), "v");
}

TEST_P(StoreContract, BarrierOfNobodyPasses) {
  store().Barrier("none", 0);
  store().Barrier("less", -1);
  store().Barrier("one", 1);
}

}  // namespace
}  // namespace rollcall
