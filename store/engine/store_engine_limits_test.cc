// A store that may not hold as much as it likes.
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "store/engine/engine_scenario.h"
#include "store/engine/key_space.h"
#include "store/engine/store_engine.h"
#include "store/engine/wait_list.h"

namespace rollcall::engine {
namespace {

using testing::HasSubstr;

constexpr ClientId kWriter = 1;
constexpr ClientId kOther = 2;

// Room for two keys of ten bytes with ten of value each, and for no third.
constexpr size_t kKeyOf20 = kKeyOverheadBytes + 20;
constexpr StoreLimits kTwoKeys = {.memory_bytes_max = 2 * kKeyOf20 + kKeyOf20 / 2};

std::string Ten(char c) { return std::string(10, c); }

class LimitsTest : public testing::Test {
 protected:
  explicit LimitsTest(const StoreLimits& limits = kTwoKeys) : store_(limits) {
    store_.Set(kWriter, Ten('a'), Ten('v'));
    store_.Set(kWriter, Ten('b'), Ten('v'));
    EXPECT_EQ(store_.Heard(kWriter), "");
  }

  // What is said to who asked is that there is no room, and nothing has changed.
  void ExpectRefused() {
    EXPECT_EQ(store_.Heard(kWriter), "HANGUP");
    EXPECT_TRUE(store_.last_hang_up_is_for_want_of_room()) << store_.last_hang_up();
    ExpectWhole();
  }
  void ExpectWhole() {
    store_.MultiGet(kOther, {Ten('a'), Ten('b')});
    EXPECT_EQ(store_.Heard(kOther), "['vvvvvvvvvv','vvvvvvvvvv']");
    store_.NumKeys(kOther);
    EXPECT_EQ(store_.Heard(kOther), "#2");
    EXPECT_EQ(store_.engine().memory_bytes(), 2 * kKeyOf20);
  }

  EngineScenario store_;
};

TEST_F(LimitsTest, EveryWriteThatNeedsMoreRoomIsRefusedAndChangesNothing) {
  store_.Set(kWriter, Ten('c'), Ten('v'));
  ExpectRefused();
  store_.Set(kWriter, Ten('a'), std::string(500, 'v'));
  ExpectRefused();
  store_.MultiSet(kWriter, {Ten('a'), Ten('c')}, {"", Ten('v')});
  ExpectRefused();
  store_.CompareSet(kWriter, Ten('c'), "", Ten('v'));
  ExpectRefused();
  store_.CompareSet(kWriter, Ten('a'), Ten('v'), std::string(500, 'v'));
  ExpectRefused();
  store_.Append(kWriter, Ten('a'), std::string(500, 'v'));
  ExpectRefused();
  store_.Add(kWriter, Ten('c'), 1);
  ExpectRefused();
  store_.Push(kWriter, "q", "");
  ExpectRefused();
  store_.Barrier(kWriter, "barrier", 2);
  ExpectRefused();
  store_.Wait(kWriter, {"never"});
  ExpectRefused();
}

TEST_F(LimitsTest, WhatNeedsNoMoreRoomGoesOn) {
  store_.Get(kWriter, Ten('a'));
  store_.Check(kWriter, {Ten('a')});
  store_.Wait(kWriter, {Ten('a')});
  store_.ListKeys(kWriter);
  store_.Set(kWriter, Ten('a'), Ten('v'));
  // Which does not compare, and so stores nothing.
  store_.CompareSet(kWriter, Ten('a'), "x", std::string(500, 'v'));
  EXPECT_EQ(store_.Heard(kWriter), "'vvvvvvvvvv' 00 00 {'aaaaaaaaaa','bbbbbbbbbb'} 'vvvvvvvvvv'");
  ExpectWhole();
}

TEST_F(LimitsTest, AWriteThatMakesRoomGoesWhereItIsTooFull) {
  EngineScenario store(StoreLimits{.memory_bytes_max = kKeyOverheadBytes + 200});
  store.Set(kWriter, "a", std::string(190, 'v'));
  store.Set(kWriter, "a", std::string(100, 'w'));
  store.Delete(kWriter, "a");
  store.Set(kWriter, "b", "v");
  EXPECT_EQ(store.Heard(kWriter), "#1");
}

TEST_F(LimitsTest, WhatIsDeletedMakesRoom) {
  store_.Delete(kWriter, Ten('a'));
  store_.Set(kWriter, Ten('c'), Ten('v'));
  store_.Get(kWriter, Ten('c'));
  EXPECT_EQ(store_.Heard(kWriter), "#1 'vvvvvvvvvv'");
}

TEST_F(LimitsTest, TheLimitIsInclusive) {
  EngineScenario store(StoreLimits{.memory_bytes_max = kKeyOf20});
  store.Set(kWriter, Ten('a'), Ten('v'));
  EXPECT_EQ(store.Heard(kWriter), "");
  store.Append(kWriter, Ten('a'), "v");
  EXPECT_EQ(store.Heard(kWriter), "HANGUP");
}

TEST_F(LimitsTest, TheReasonSaysHowMuchIsThereAndHowMuchIsNeeded) {
  store_.Set(kWriter, Ten('c'), Ten('v'));
  EXPECT_EQ(store_.last_hang_up(),
            "1: the name space \"job\" holds 296 of the 370 bytes that it may hold; this set needs "
            "148 bytes more");
}

TEST_F(LimitsTest, KeysAndQueuesAreCountedAgainstTheirLimit) {
  EngineScenario store(StoreLimits{.keys_max = 2});
  store.Set(kWriter, "a", "v");
  store.Push(kWriter, "q", "1");
  store.Push(kWriter, "q", "2");
  store.Set(kWriter, "a", std::string(100'000, 'v'));
  store.Set(kWriter, "rollcall/rank/1", "4");
  EXPECT_EQ(store.Heard(kWriter), "");
  store.Add(kWriter, "b", 1);
  EXPECT_EQ(store.Heard(kWriter), "HANGUP");
  EXPECT_EQ(store.last_hang_up(),
            "1: the name space \"job\" has 2 of the 2 keys that it may have; this add needs 1 key "
            "more");
  store.Pop(kWriter, "q");
  store.Pop(kWriter, "q");
  store.Add(kWriter, "b", 1);
  EXPECT_EQ(store.Heard(kWriter), "2<'1' 1<'2' #1");
}

TEST_F(LimitsTest, WaitsTakeRoomUntilTheyEnd) {
  EngineScenario store(StoreLimits{.memory_bytes_max = 1000});
  store.Wait(kOther, {"a", "b"});
  const size_t waiting = store.engine().memory_bytes();
  EXPECT_EQ(waiting,
            kWaitOverheadBytes + 2 * (kAwaitedNameOverheadBytes + kAwaitingOverheadBytes + 1));
  store.Set(kWriter, "c", std::string(999 - waiting, 'v'));
  EXPECT_EQ(store.Heard(kWriter), "HANGUP");
  store.Disconnect(kOther);
  EXPECT_EQ(store.engine().memory_bytes(), 0u);
}

// --- What several share ---

TEST(MemoryBudgetTest, IsWhatAllHoldTogether) {
  MemoryBudget budget = {.bytes_max = 2 * kKeyOf20};
  auto one = std::make_unique<EngineScenario>(StoreLimits(), &budget);
  EngineScenario other(StoreLimits(), &budget);
  one->Set(kWriter, Ten('a'), Ten('v'));
  other.Set(kWriter, Ten('a'), Ten('v'));
  EXPECT_EQ(budget.bytes_used, 2 * kKeyOf20);
  other.Append(kWriter, Ten('a'), "v");
  EXPECT_EQ(other.Heard(kWriter), "HANGUP");
  EXPECT_THAT(
      other.last_hang_up(),
      HasSubstr("the store holds 296 of the 296 bytes that it may hold, 148 of them for the "
                "name space \"job\"; this append needs 1 bytes more"));
  one.reset();
  EXPECT_EQ(budget.bytes_used, kKeyOf20);
  other.Append(kWriter, Ten('a'), "v");
  EXPECT_EQ(other.Heard(kWriter), "");
  EXPECT_EQ(budget.bytes_used, kKeyOf20 + 1);
}

TEST(MemoryBudgetTest, AWaitThatALegacyClientGivesUpMakesRoomForWhatItSaysNext) {
  MemoryBudget budget = {.bytes_max = kWaitOverheadBytes + kAwaitedNameOverheadBytes +
                                      kAwaitingOverheadBytes + 10};
  EngineScenario store(StoreLimits(), &budget);
  store.ConnectLegacy(kWriter);
  store.Wait(kWriter, {Ten('a')});
  EXPECT_EQ(budget.bytes_used, budget.bytes_max);
  store.Set(kWriter, Ten('b'), Ten('v'));
  EXPECT_EQ(store.Heard(kWriter), "");
  EXPECT_EQ(budget.bytes_used, kKeyOf20);
}

}  // namespace
}  // namespace rollcall::engine
