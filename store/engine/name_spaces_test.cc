#include "store/engine/name_spaces.h"

#include <cstdint>
#include <map>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "store/engine/client_id.h"
#include "store/engine/engine_scenario.h"
#include "store/engine/key_space.h"
#include "store/engine/store_engine.h"
#include "store/protocol/dialect.h"
#include "store/protocol/operation.h"
#include "store/protocol/reply.h"
#include "store/protocol/request.h"

namespace rollcall::engine {
namespace {

using protocol::Operation;
using testing::HasSubstr;

class NameSpacesTest : public testing::Test {
 protected:
  explicit NameSpacesTest(const NameSpaceLimits& limits = {}) : stores_(limits) {}

  void Connect(ClientId who, absl::string_view name_space) {
    stores_.Connect(who, protocol::Dialect::kModern, name_space);
  }
  // What all have heard because of it: "1:00 2:'v'".
  std::string Ask(ClientId who, protocol::Request request) {
    Replies replies;
    stores_.Apply(who, request, absl::UnixEpoch(), replies);
    std::string heard;
    for (const Outgoing& outgoing : replies) {
      absl::StrAppend(&heard, heard.empty() ? "" : " ", outgoing.to, ":", InWords(outgoing.reply));
      if (outgoing.reply.kind == protocol::ReplyKind::kHangUp) reason_ = outgoing.reply.reason;
    }
    return heard;
  }
  std::string Set(ClientId who, std::string key, std::string value) {
    return Ask(who, MakeRequest(Operation::kSet, {std::move(key)}, {std::move(value)}));
  }
  std::string Get(ClientId who, std::string key) {
    return Ask(who, MakeRequest(Operation::kGet, {std::move(key)}));
  }

  NameSpaces stores_;
  std::string reason_;
};

TEST_F(NameSpacesTest, AClientSeesTheKeysOfItsOwnAlone) {
  Connect(1, "");
  Connect(2, "job");
  Connect(3, "job");
  Set(1, "k", "default");
  Set(2, "k", "job");
  Set(2, "more", "job");
  EXPECT_EQ(Get(1, "k"), "1:'default'");
  EXPECT_EQ(Get(3, "k"), "3:'job'");
  EXPECT_EQ(Ask(1, MakeRequest(Operation::kNumKeys)), "1:#1");
  EXPECT_EQ(Ask(3, MakeRequest(Operation::kNumKeys)), "3:#2");
  EXPECT_EQ(Ask(1, MakeRequest(Operation::kListKeys)), "1:{'k'}");
  EXPECT_EQ(Ask(1, MakeRequest(Operation::kDeleteKey, {"more"})), "1:#0");
  EXPECT_EQ(stores_.key_count(), 3u);
}

TEST_F(NameSpacesTest, NobodyIsReleasedByWhatOthersDoElsewhere) {
  for (const ClientId who : {1, 2, 3}) Connect(who, who == 1 ? "" : absl::StrCat("job", who));
  for (const ClientId who : {1, 2, 3}) {
    EXPECT_EQ(Ask(who, MakeRequest(Operation::kWait, {"k"})), "");
    EXPECT_TRUE(stores_.Awaits(who));
  }
  EXPECT_EQ(stores_.waiting_clients(), 3u);
  Connect(4, "job2");
  EXPECT_EQ(Set(4, "k", "v"), "2:00");
  EXPECT_EQ(stores_.waiting_clients(), 2u);
  Connect(5, "");
  EXPECT_EQ(Set(5, "k", "v"), "1:00");
  EXPECT_TRUE(stores_.Awaits(3));
}

TEST_F(NameSpacesTest, BarriersCountTheirOwnMembers) {
  Connect(1, "a");
  Connect(2, "b");
  Connect(3, "b");
  EXPECT_EQ(Ask(1, MakeRequest(Operation::kBarrier, {"k"}, {}, 2)), "");
  EXPECT_EQ(Ask(2, MakeRequest(Operation::kBarrier, {"k"}, {}, 2)), "");
  EXPECT_EQ(Ask(3, MakeRequest(Operation::kBarrier, {"k"}, {}, 2)), "2:00 3:00");
  EXPECT_TRUE(stores_.Awaits(1));
}

TEST_F(NameSpacesTest, AnEmptyOneIsForgottenWithItsLastClient) {
  Connect(1, "job");
  Connect(2, "job");
  Set(1, "k", "v");
  EXPECT_EQ(stores_.count(), 2u);
  stores_.Disconnect(1, absl::UnixEpoch());
  Ask(2, MakeRequest(Operation::kDeleteKey, {"k"}));
  EXPECT_EQ(stores_.count(), 2u);
  stores_.Disconnect(2, absl::UnixEpoch());
  EXPECT_EQ(stores_.count(), 1u);
}

TEST_F(NameSpacesTest, WhatIsStoredOutlivesItsClients) {
  Connect(1, "job");
  Set(1, "k", "v");
  stores_.Disconnect(1, absl::UnixEpoch());
  EXPECT_EQ(stores_.count(), 2u);
  Connect(2, "job");
  EXPECT_EQ(Get(2, "k"), "2:'v'");
}

TEST_F(NameSpacesTest, AreTakenInOrder) {
  Connect(1, "b");
  Connect(2, "a");
  std::vector<std::string> names;
  stores_.ForEach([&](absl::string_view name, const StoreEngine&) { names.emplace_back(name); });
  EXPECT_THAT(names, testing::ElementsAre("", "a", "b"));
}

// --- Limits ---

class LimitedNameSpacesTest : public NameSpacesTest {
 protected:
  LimitedNameSpacesTest()
      : NameSpacesTest({.each = {.keys_max = 3, .clients_max = 2},
                        .memory_bytes_max = 4 * kKeyOverheadBytes}) {}
};

TEST_F(LimitedNameSpacesTest, OneJobCannotUseUpAnothersKeys) {
  Connect(1, "greedy");
  Connect(2, "");
  for (const char* const key : {"a", "b", "c"}) EXPECT_EQ(Set(1, key, ""), "");
  EXPECT_EQ(Set(1, "d", ""), "1:HANGUP");
  EXPECT_THAT(reason_, HasSubstr("the name space \"greedy\" has 3 of the 3 keys"));
  // Four bytes less than a key more would need, for all together.
  EXPECT_EQ(Set(2, "a", ""), "2:HANGUP");
  EXPECT_THAT(reason_, HasSubstr("0 of them for the name space \"default\""));
  stores_.Disconnect(1, absl::UnixEpoch());
  EXPECT_EQ(stores_.budget().bytes_used, 3 * (kKeyOverheadBytes + 1));
}

TEST_F(LimitedNameSpacesTest, AClientTooManyIsHungUpOnAndTheOthersAreServed) {
  for (const char* const name : {"job", ""}) {
    const ClientId first = *name == 0 ? 10 : 20;
    for (ClientId who = first; who < first + 3; ++who) Connect(who, name);
    EXPECT_EQ(Get(first, "k"), absl::StrCat(first, ":''"));
    EXPECT_EQ(Get(first + 1, "k"), absl::StrCat(first + 1, ":''"));
    EXPECT_EQ(Get(first + 2, "k"), absl::StrCat(first + 2, ":HANGUP"));
    EXPECT_EQ(reason_, "its name space has 2 clients, as many as it may");
    EXPECT_FALSE(stores_.Awaits(first + 2));
    EXPECT_FALSE(stores_.Disconnect(first + 2, absl::UnixEpoch()));
    stores_.Disconnect(first, absl::UnixEpoch());
    Connect(first + 3, name);
    EXPECT_EQ(Get(first + 3, "k"), absl::StrCat(first + 3, ":''"));
  }
}

class QuotasTest : public NameSpacesTest {
 protected:
  QuotasTest()
      : NameSpacesTest({.each = {.keys_max = 1},
                        .own = {{"big", {.keys_max = 3, .clients_max = 1}},
                                {"", {.memory_bytes_max = kKeyOverheadBytes + 10}}}}) {}
};

TEST_F(QuotasTest, OneMayHoldMoreOrLessThanTheOthers) {
  Connect(1, "big");
  Connect(2, "small");
  Connect(3, "");
  for (const char* const key : {"a", "b", "c"}) EXPECT_EQ(Set(1, key, ""), "");
  EXPECT_EQ(Set(1, "d", ""), "1:HANGUP");
  EXPECT_THAT(reason_, HasSubstr("the name space \"big\" has 3 of the 3 keys"));
  EXPECT_EQ(Set(2, "a", ""), "");
  EXPECT_EQ(Set(2, "b", ""), "2:HANGUP");
  EXPECT_EQ(Set(3, "a", "123456789"), "");
  EXPECT_EQ(Set(3, "a", "1234567890"), "3:HANGUP");
  EXPECT_THAT(reason_, HasSubstr("the name space \"default\" holds"));
}

TEST_F(QuotasTest, ClientsAreCountedByTheQuotaOfTheirOwn) {
  Connect(1, "big");
  Connect(2, "big");
  EXPECT_EQ(Get(2, "k"), "2:HANGUP");
  EXPECT_EQ(reason_, "its name space has 1 clients, as many as it may");
  for (ClientId who = 3; who < 9; ++who) {
    Connect(who, who % 2 == 0 ? "" : "small");
    EXPECT_EQ(Get(who, "k"), absl::StrCat(who, ":''"));
  }
}

TEST(NameSpaceLimitsTest, AQuotaAloneIsALimit) {
  EXPECT_FALSE(NameSpaceLimits().any());
  EXPECT_FALSE((NameSpaceLimits{.own = {{"a", {}}}}).any());
  EXPECT_TRUE((NameSpaceLimits{.own = {{"a", {.clients_max = 1}}}}).any());
}

// --- Many, at random ---

// Each name space answers as a store that is alone.
TEST(NameSpacesRandomTest, EachIsAsAStoreOfItsOwn) {
  const std::vector<std::string> names = {"", "a", "b"};
  for (uint32_t seed = 1; seed <= 10; ++seed) {
    std::mt19937 dice(seed);
    NameSpaces stores;
    std::map<std::string, EngineScenario> alone;
    constexpr ClientId kClients = 9;
    for (ClientId who = 0; who < kClients; ++who) {
      stores.Connect(who, protocol::Dialect::kModern, names[who % names.size()]);
      alone[names[who % names.size()]].Connect(who);
    }
    for (int step = 0; step < 3000; ++step) {
      const ClientId who = dice() % kClients;
      const std::string key(1, static_cast<char>('a' + dice() % 3));
      constexpr Operation kOperations[] = {
          Operation::kSet,       Operation::kGet,     Operation::kAdd,
          Operation::kDeleteKey, Operation::kWait,    Operation::kQueuePush,
          Operation::kQueuePop,  Operation::kNumKeys, Operation::kDeleteKey,
          Operation::kListKeys,  Operation::kBarrier, Operation::kCancelWait};
      const Operation operation = kOperations[dice() % std::size(kOperations)];
      const bool is_bare = operation == Operation::kNumKeys || operation == Operation::kListKeys ||
                           operation == Operation::kCancelWait;
      protocol::Request request = MakeRequest(
          operation, is_bare ? std::vector<std::string>() : std::vector<std::string>{key}, {"7"},
          /*number=*/2);
      EngineScenario& own = alone[names[who % names.size()]];
      own.Ask(who, request);
      Replies replies;
      stores.Apply(who, request, absl::UnixEpoch(), replies);
      std::map<ClientId, std::string> heard;
      for (const Outgoing& outgoing : replies) {
        std::string& words = heard[outgoing.to];
        absl::StrAppend(&words, words.empty() ? "" : " ", InWords(outgoing.reply));
      }
      for (ClientId client = 0; client < kClients; ++client) {
        ASSERT_EQ(heard[client], alone[names[client % names.size()]].Heard(client))
            << "seed " << seed << ", step " << step << ", client " << client;
      }
    }
    size_t keys = 0;
    size_t waiting = 0;
    for (const auto& [name, store] : alone) {
      keys += store.engine().key_count();
      waiting += store.engine().waiting_clients();
    }
    EXPECT_EQ(stores.key_count(), keys);
    EXPECT_EQ(stores.waiting_clients(), waiting);
  }
}

}  // namespace
}  // namespace rollcall::engine
