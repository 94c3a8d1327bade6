// Limits on what is stored, where it is kept in a journal.
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "net/real_env.h"
#include "store/engine/client_id.h"
#include "store/engine/key_space.h"
#include "store/engine/name_spaces.h"
#include "store/journal/engine_life.h"
#include "store/journal/fake_journal.h"
#include "store/journal/session_book.h"
#include "store/protocol/operation.h"
#include "store/protocol/request.h"
#include "store/protocol/wire.h"
#include "store/server/loop_number.h"

namespace rollcall {
namespace {

using protocol::Operation;
using testing::HasSubstr;
using Told = EngineLife::Told;

constexpr engine::ClientId kClient = MakeClientId(1, 0, 0);
constexpr engine::ClientId kOther = MakeClientId(2, 0, 1);
constexpr engine::ClientId kThird = MakeClientId(3, 0, 2);

class JournaledLimitsTest : public testing::Test {
 protected:
  static protocol::Request SetOf(const std::string& key, const std::string& value) {
    return EngineLife::MakeRequest(Operation::kSet, {key}, {value});
  }
  static protocol::Request AddOf(const std::string& key) {
    return EngineLife::MakeRequest(Operation::kAdd, {key}, {}, 1);
  }
  static protocol::Request DeleteOf(const std::string& key) {
    return EngineLife::MakeRequest(Operation::kDeleteKey, {key});
  }
  static protocol::Request SessionOf(const std::string& name) {
    return EngineLife::MakeRequest(Operation::kSession, {name});
  }
  static std::string Number(int64_t number) {
    std::string bytes;
    protocol::wire::Put(static_cast<uint64_t>(number), bytes);
    return bytes;
  }
  static size_t MemoryOf(EngineLife& life) { return life.Snapshot()[0].memory_bytes; }

  FakeDisk disk_{net::RealEnv()};
};

TEST_F(JournaledLimitsTest, WhatComesBackIsWholeAndWhatIsTooMuchHasToShrinkFirst) {
  {
    EngineLife life(disk_);
    life.Connect(kClient);
    for (int i = 0; i < 5; ++i) life.Set(kClient, absl::StrCat("k", i), "v");
    life.Connect(kOther, "job");
    life.Ask(kOther, {EngineLife::MakeRequest(Operation::kQueuePush, {"q"}, {"1"}),
                      EngineLife::MakeRequest(Operation::kQueuePush, {"q"}, {"2"})});
  }
  const std::vector<engine::NameSpaceLimits> lower = {
      {.each = {.keys_max = 2}},
      {.each = {.memory_bytes_max = 300}},
      {.memory_bytes_max = 300},
  };
  for (const engine::NameSpaceLimits& limits : lower) {
    EngineLife life(disk_, limits);
    EXPECT_EQ(life.keys(), 5u);
    life.Connect(kClient);
    EXPECT_EQ(life.Get(kClient, "k4"), "v");
    const Told refused = life.Ask(kClient, {SetOf("new", "v")});
    EXPECT_TRUE(refused.is_full) << refused.hung_up.value_or("served");
  }
  EngineLife life(disk_, {.each = {.keys_max = 2}});
  life.Connect(kClient);
  EXPECT_FALSE(life.Ask(kClient, {SetOf("k0", "another"), DeleteOf("k1"), DeleteOf("k2"),
                                  DeleteOf("k3"), DeleteOf("k4"), SetOf("new", "v")})
                   .hung_up.has_value());
  EXPECT_EQ(life.Get(kClient, "k0"), "another");
}

TEST_F(JournaledLimitsTest, TheLogSaysOnceThatTooMuchCameBack) {
  {
    EngineLife life(disk_);
    life.Connect(kClient, "job");
    for (int i = 0; i < 5; ++i) life.Set(kClient, absl::StrCat("k", i), "v");
  }
  testing::internal::CaptureStderr();
  { EngineLife life(disk_, {.each = {.keys_max = 2}, .memory_bytes_max = 100}); }
  EXPECT_THAT(testing::internal::GetCapturedStderr(),
              HasSubstr("the journal gave back more than the limits allow: the store holds 655 of "
                        "the 100 bytes that it may hold; the name space \"job\" has 5 of the 2 "
                        "keys that it may have; all of it is served"));
}

TEST_F(JournaledLimitsTest, WhatIsOnItsWayCountsAgainstTheSameLimit) {
  std::atomic<size_t> on_its_way = 0;
  EngineLife life(disk_, {.memory_bytes_max = 2000});
  life.CountAlso(&on_its_way);
  life.Connect(kClient);
  EXPECT_FALSE(life.Ask(kClient, {SetOf("k", std::string(500, 'v'))}).is_full);
  EXPECT_EQ(life.memory_bytes(), engine::kKeyOverheadBytes + 501);
  on_its_way = 1000;
  const Told refused = life.Ask(kClient, {SetOf("more", std::string(500, 'v'))});
  EXPECT_TRUE(refused.is_full);
  EXPECT_THAT(refused.hung_up.value_or(""), HasSubstr("1000 on their way"));
  on_its_way = 0;
  life.Connect(kOther);
  EXPECT_FALSE(life.Ask(kOther, {SetOf("more", std::string(500, 'v'))}).is_full);
  life.CountAlso(nullptr);
}

TEST_F(JournaledLimitsTest, WhatIsRefusedLeavesNothingInTheJournal) {
  EngineLife life(disk_, {.memory_bytes_max = 1000});
  life.Connect(kClient);
  life.Ask(kClient, {SetOf("k", "v")});
  const size_t changes = disk_.changes();
  for (const auto& request :
       {SetOf("k", std::string(1000, 'v')),
        EngineLife::MakeRequest(Operation::kMultiSet, {"a", "b"}, {"", std::string(1000, 'v')}),
        EngineLife::MakeRequest(Operation::kAppend, {"k"}, {std::string(1000, 'v')}),
        EngineLife::MakeRequest(Operation::kQueuePush, {"q"}, {std::string(1000, 'v')})}) {
    life.Connect(kOther);
    EXPECT_TRUE(life.Ask(kOther, {request}).is_full);
    life.Disconnect(kOther);
  }
  EXPECT_EQ(disk_.changes(), changes);
}

TEST_F(JournaledLimitsTest, ANumberedRequestThatWasRefusedIsAppliedOnceThereIsRoom) {
  EngineLife life(disk_, {.each = {.keys_max = 1}});
  life.Connect(kOther);
  life.Ask(kOther, {SetOf("old", "v")});
  life.Connect(kClient);
  EXPECT_TRUE(life.Ask(kClient, {SessionOf("s"), EngineLife::Numbered(1), AddOf("n")}).is_full);
  life.Disconnect(kClient);
  life.Ask(kOther, {DeleteOf("old")});
  for (int i = 0; i < 2; ++i) {
    life.Connect(kClient);
    EXPECT_EQ(life.Ask(kClient, {SessionOf("s"), EngineLife::Numbered(1), AddOf("n")}).bytes,
              Number(1) + Number(1));
    life.Disconnect(kClient);
  }
}

TEST_F(JournaledLimitsTest, AMemberOfABarrierIsCountedOnceAndWaitsAgainWithItsRoom) {
  // Room for the counter and two who wait.
  EngineLife life(disk_, {.memory_bytes_max = 1100});
  const protocol::Request barrier = EngineLife::MakeRequest(Operation::kBarrier, {"b"}, {}, 3);
  life.Connect(kClient);
  life.Ask(kClient, {SessionOf("s"), EngineLife::Numbered(1), barrier});
  life.Disconnect(kClient);
  life.Connect(kOther);
  life.Ask(kOther, {barrier});
  life.Connect(kClient);
  EXPECT_EQ(life.Ask(kClient, {SessionOf("s"), EngineLife::Numbered(1), barrier}).bytes, Number(1));
  life.Disconnect(kClient);
  // Somebody else has its room meanwhile.
  life.Connect(kThird);
  life.Ask(kThird, {SetOf("k", std::string(200, 'v'))});
  life.Connect(kClient);
  EXPECT_TRUE(life.Ask(kClient, {SessionOf("s"), EngineLife::Numbered(1), barrier}).is_full);
}

TEST_F(JournaledLimitsTest, AnswersThatMayNotHaveComeTakeRoom) {
  const std::string large(8000, 'v');
  constexpr size_t kRoomForOne = 20'000;
  const protocol::Request swap =
      EngineLife::MakeRequest(Operation::kCompareSet, {"k"}, {large, large});
  {
    EngineLife life(disk_, {.memory_bytes_max = kRoomForOne});
    life.Connect(kClient);
    life.Ask(kClient, {SetOf("k", large), SessionOf("s"), EngineLife::Numbered(1), swap});
    EXPECT_EQ(MemoryOf(life), life.Snapshot()[0].key_bytes + engine::kKeyOverheadBytes +
                                  large.size() + SessionBook::kAnswerOverheadBytes + large.size() +
                                  sizeof(int64_t));
    // It has not had the first answer.
    const Told refused = life.Ask(kClient, {EngineLife::Numbered(2, 1), swap});
    EXPECT_TRUE(refused.is_full);
    EXPECT_THAT(refused.hung_up.value_or(""), HasSubstr("for the answer to this compare_set"));
    life.Disconnect(kClient);
  }
  // They come back with the journal, and go when they have come.
  EngineLife life(disk_, {.memory_bytes_max = kRoomForOne});
  life.Connect(kOther);
  EXPECT_TRUE(life.Ask(kOther, {SetOf("other", large)}).is_full);
  life.Connect(kClient);
  const Told again =
      life.Ask(kClient, {SessionOf("s"), EngineLife::Numbered(1), swap, EngineLife::Numbered(2),
                         DeleteOf("k"), SetOf("other", large)});
  EXPECT_EQ(again.bytes, Number(1) + Number(8000) + large + Number(1));
}

TEST_F(JournaledLimitsTest, WhoMakesRoomIsServedWhereThereIsNone) {
  constexpr int kKeys = 200;
  {
    EngineLife life(disk_);
    life.Connect(kClient);
    for (int i = 0; i < kKeys; ++i) life.Set(kClient, absl::StrCat("k", i), "v");
    for (int i = 0; i < kKeys; ++i) {
      life.Ask(kClient, {EngineLife::MakeRequest(Operation::kQueuePush, {"q"}, {"v"})});
    }
  }
  EngineLife life(disk_, {.each = {.memory_bytes_max = 1000}});
  life.Connect(kClient);
  std::vector<protocol::Request> requests = {SessionOf("s")};
  int64_t number = 0;
  const auto add = [&](protocol::Request request) {
    ++number;
    requests.push_back(EngineLife::Numbered(number, number - 1));
    requests.push_back(std::move(request));
  };
  for (int i = 0; i < kKeys; ++i) {
    add(DeleteOf(absl::StrCat("k", i)));
    add(EngineLife::MakeRequest(Operation::kQueuePop, {"q"}));
    // Reads are answered as often as they come, and nothing is kept.
    add(EngineLife::MakeRequest(Operation::kNumKeys));
  }
  EXPECT_EQ(life.Ask(kClient, requests).hung_up.value_or("served"), "served");
  EXPECT_EQ(life.keys(), 0u);
  // Which has made a lot of answers; they take room until they have come.
  EXPECT_TRUE(life.Ask(kClient, {EngineLife::Numbered(number + 1, number), AddOf("n")}).is_full);
  life.Disconnect(kClient);
  life.Connect(kClient);
  EXPECT_EQ(life.Ask(kClient, {SessionOf("s"), EngineLife::Numbered(number + 1), AddOf("n")}).bytes,
            Number(1) + Number(1));
}

TEST_F(JournaledLimitsTest, AnswersAreOfTheirNameSpaceAndOutliveIt) {
  const std::string large(2000, 'v');
  const protocol::Request swap =
      EngineLife::MakeRequest(Operation::kCompareSet, {"k"}, {"", large});
  EngineLife life(disk_, {.each = {.memory_bytes_max = 5000}, .memory_bytes_max = 6000});
  life.Connect(kClient, "job");
  life.Ask(kClient, {SessionOf("s"), EngineLife::Numbered(1), swap, DeleteOf("k")});
  life.Disconnect(kClient);
  EXPECT_EQ(life.Snapshot().size(), 1u) << "nothing is in the name space, and nobody";
  life.Connect(kOther);
  EXPECT_TRUE(life.Ask(kOther, {SetOf("k", std::string(4000, 'v'))}).is_full);
  life.Connect(kClient, "job");
  EXPECT_TRUE(life.Ask(kClient, {SetOf("k", std::string(3500, 'v'))}).is_full);
}

TEST_F(JournaledLimitsTest, AClientThatIsOneTooManyGetsNoSession) {
  EngineLife life(disk_, {.each = {.clients_max = 1}});
  life.Connect(kClient, "job");
  life.Connect(kOther, "job");
  EXPECT_TRUE(life.Ask(kOther, {SessionOf("s")}).is_full);
  EXPECT_EQ(life.Ask(kClient, {SessionOf("s")}).bytes, Number(0));
}

}  // namespace
}  // namespace rollcall
