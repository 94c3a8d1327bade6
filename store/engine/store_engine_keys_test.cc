// Keys and values: what each operation stores and says.
#include <cstdint>
#include <limits>
#include <optional>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "store/engine/engine_scenario.h"
#include "store/engine/store_engine.h"
#include "store/protocol/dialect.h"
#include "store/protocol/features.h"
#include "store/protocol/operation.h"
#include "store/protocol/reply.h"
#include "store/protocol/request.h"

namespace rollcall::engine {
namespace {

using protocol::Dialect;
using protocol::Operation;

class Keys : public EngineTest {};

TEST_F(Keys, SetIsNotAnsweredAndGetGivesWhatWasSetLast) {
  Set(1, "/k", "v");
  EXPECT_EQ(Heard(1), "");
  Get(2, "/k");
  EXPECT_EQ(Heard(2), "'v'");
  Set(1, "/k", "");
  Get(2, "/k");
  EXPECT_EQ(Heard(2), "''");
}

TEST_F(Keys, TheEmptyNameIsAKey) {
  Set(1, "", "v");
  Get(1, "");
  NumKeys(1);
  ListKeys(1);
  EXPECT_EQ(Heard(1), "'v' #1 {''}");
}

TEST_F(Keys, AMissingKeyIsEmptyForModernClients) {
  Get(1, "/missing");
  Set(1, "/there", "v");
  MultiGet(1, {"/there", "/missing", "/there"});
  EXPECT_EQ(Heard(1), "'' ['v','','v']");
}

TEST_F(Keys, AMissingKeyHangsUpLegacyClientsWithNothingSent) {
  Set(9, "/there", "v");
  for (const Dialect dialect : {Dialect::kLegacy, Dialect::kTorch21}) {
    Connect(1, dialect);
    Get(1, "/there");
    EXPECT_EQ(Heard(1), "'v'");
    Get(1, "/missing");
    EXPECT_EQ(Heard(1), "HANGUP");
    EXPECT_EQ(last_hang_up(), "1: get of the missing key \"/missing\" by a legacy client");
    Connect(1, dialect);
    MultiGet(1, {"/there", "/missing"});
    EXPECT_EQ(Heard(1), "HANGUP");
  }
  Get(9, "/there");
  EXPECT_EQ(Heard(9), "'v'") << "another client's values are untouched";
}

TEST_F(Keys, MultiGetOfNothingIsAnEmptyReply) {
  MultiGet(1, {});
  EXPECT_EQ(Heard(1), "[]");
}

TEST_F(Keys, MultiSetSetsAllAndTheLastOfADuplicateWins) {
  MultiSet(1, {"/a", "/b", "/a"}, {"1", "2", "3"});
  MultiGet(1, {"/a", "/b"});
  MultiSet(1, {}, {});
  NumKeys(1);
  EXPECT_EQ(Heard(1), "['3','2'] #2");
}

TEST_F(Keys, CompareSetOfAMissingKey) {
  CompareSet(1, "/k", "expected", "desired");
  EXPECT_EQ(Heard(1), "'expected'") << "as torch: the caller is told what it expected";
  NumKeys(1);
  EXPECT_EQ(Heard(1), "#0");
  CompareSet(1, "/k", "", "desired");
  EXPECT_EQ(Heard(1), "'desired'");
  Get(1, "/k");
  EXPECT_EQ(Heard(1), "'desired'");
}

TEST_F(Keys, CompareSetOfAPresentKey) {
  Set(1, "/k", "old");
  CompareSet(1, "/k", "wrong", "new");
  EXPECT_EQ(Heard(1), "'old'");
  CompareSet(1, "/k", "", "new");
  EXPECT_EQ(Heard(1), "'old'") << "empty expects a missing key, not any key";
  CompareSet(1, "/k", "old", "");
  EXPECT_EQ(Heard(1), "''");
  CompareSet(1, "/k", "", "from empty");
  EXPECT_EQ(Heard(1), "'from empty'") << "an empty value equals an empty expectation";
}

TEST_F(Keys, AddCountsFromZeroAndStoresDecimalText) {
  Add(1, "/n", 5);
  Add(1, "/n", -7);
  Get(1, "/n");
  Add(1, "/zero", 0);
  Get(1, "/zero");
  EXPECT_EQ(Heard(1), "#5 #-2 '-2' #0 '0'");
}

TEST_F(Keys, AddReadsTextAsStollDoes) {
  Set(1, "/n", "12abc");
  Add(1, "/n", 1);
  Get(1, "/n");
  Set(1, "/n", "0x10");
  Add(1, "/n", 1);
  Set(1, "/n", " 7");
  Add(1, "/n", 1);
  EXPECT_EQ(Heard(1), "#13 '13' #1 #8");
}

TEST_F(Keys, AddWrapsAround) {
  Set(1, "/n", "9223372036854775807");
  Add(1, "/n", 1);
  EXPECT_EQ(Heard(1), "#-9223372036854775808");
  Add(1, "/n", -1);
  EXPECT_EQ(Heard(1), "#9223372036854775807");
  Add(1, "/n", std::numeric_limits<int64_t>::min());
  EXPECT_EQ(Heard(1), "#-1");
}

TEST_F(Keys, AddToWhatIsNoNumberCostsTheCallerItsConnectionAndNothingElse) {
  for (const std::string value : {"", "abc", "9223372036854775808", "-"}) {
    Set(9, "/n", value);
    Add(1, "/n", 1);
    EXPECT_EQ(Heard(1), "HANGUP") << value;
    EXPECT_TRUE(absl::StrContains(last_hang_up(), "1: add on the key \"/n\": the value \"" + value))
        << last_hang_up();
    Get(9, "/n");
    EXPECT_EQ(Heard(9), "'" + value + "'");
  }
}

TEST_F(Keys, AppendCreatesAndExtends) {
  Append(1, "/k", "a");
  Append(1, "/k", "");
  Append(1, "/k", "bc");
  EXPECT_EQ(Heard(1), "");
  Get(1, "/k");
  EXPECT_EQ(Heard(1), "'abc'");
}

TEST_F(Keys, DeleteSaysHowManyWereThere) {
  Set(1, "/k", "v");
  Delete(1, "/k");
  Delete(1, "/k");
  Get(1, "/k");
  EXPECT_EQ(Heard(1), "#1 #0 ''");
}

TEST_F(Keys, CheckWantsEveryKeyAndAQueueWithSomethingInItCounts) {
  Check(1, {});
  EXPECT_EQ(Heard(1), "00");
  Set(1, "/k", "");
  Push(1, "/q", "e");
  Check(1, {"/k", "/q", "/k"});
  EXPECT_EQ(Heard(1), "00");
  Check(1, {"/k", "/missing"});
  EXPECT_EQ(Heard(1), "01");
  Pop(1, "/q");
  Check(1, {"/q"});
  EXPECT_EQ(Heard(1), "1<'e' 01");
}

TEST_F(Keys, NumKeysAndListKeysLeaveOutQueuesAndHiddenKeysButNotTheJoinCounter) {
  Add(1, "init/", 1);
  Set(1, "/k", "v");
  Set(1, "rollcall/rank/0", "here");
  Push(1, "/q", "e");
  Heard(1);
  NumKeys(1);
  ListKeys(1);
  EXPECT_EQ(Heard(1), "#2 {'/k','init/'}");
  EXPECT_EQ(engine().key_count(), 2u);
  Get(2, "rollcall/rank/0");
  Check(2, {"rollcall/rank/0"});
  Delete(2, "rollcall/rank/0");
  NumKeys(2);
  EXPECT_EQ(Heard(2), "'here' 00 #1 #2");
}

TEST_F(Keys, PingIsEchoedWithAll32Bits) {
  Ask(1, MakeRequest(Operation::kPing, {}, {}, 0xFFFFFFFF));
  EXPECT_EQ(Heard(1), "~4294967295");
}

TEST_F(Keys, OnePingAsksWhatTheServerCanDo) {
  Ask(1, MakeRequest(Operation::kPing, {}, {}, protocol::kAskFeatures));
  EXPECT_EQ(Heard(1), absl::StrCat("~", protocol::kAskFeatures | protocol::kServerFeatures));
  // As it said.
  Get(1, "/missing");
  EXPECT_EQ(Heard(1), "''");
}

TEST_F(Keys, ARankThatPingsIsToldTheSameAndKnown) {
  const uint32_t ping = protocol::AskFeaturesAs(65535);
  Ask(1, MakeRequest(Operation::kPing, {}, {}, ping));
  EXPECT_EQ(Heard(1), absl::StrCat("~", protocol::kAskFeatures | protocol::kServerFeatures));
  EXPECT_EQ(engine().ranks().RankOf(1), 65535);
  EXPECT_EQ(protocol::AskFeaturesAs(65536), protocol::kAskFeatures) << "it has no room for that";
  EXPECT_EQ(protocol::AskFeaturesAs(std::nullopt), protocol::kAskFeatures);
  // As a server of torch's, which knows nothing of it, answers.
  EXPECT_EQ(protocol::FeaturesIn(ping, ping), 0u);
  EXPECT_EQ(protocol::FeaturesIn(ping - 1, ping), std::nullopt);
}

TEST_F(Keys, DataOutlivesTheClientThatWroteIt) {
  Set(1, "/k", "v");
  Push(1, "/q", "e");
  Disconnect(1);
  Get(2, "/k");
  Pop(2, "/q");
  EXPECT_EQ(Heard(2), "'v' 1<'e'");
}

TEST_F(Keys, ManyKeysComeAndGo) {
  for (int i = 0; i < 5000; ++i) Set(1, std::to_string(i), "v");
  EXPECT_EQ(engine().key_count(), 5000u);
  for (int i = 0; i < 5000; ++i) Delete(1, std::to_string(i));
  EXPECT_EQ(engine().key_count(), 0u);
}

TEST(Engine, AClientThatIsNotConnectedIsHungUp) {
  StoreEngine engine;
  Replies replies;
  protocol::Request request = MakeRequest(Operation::kSet, {"/k"}, {"v"});
  engine.Apply(7, request, absl::UnixEpoch(), replies);
  ASSERT_EQ(replies.size(), 1u);
  EXPECT_EQ(replies[0].to, 7u);
  EXPECT_EQ(replies[0].reply.kind, protocol::ReplyKind::kHangUp);
  EXPECT_EQ(engine.key_count(), 0u);
}

TEST(Engine, RepliesAreAppendedToThoseAlreadyThere) {
  StoreEngine engine;
  engine.Connect(1, Dialect::kModern);
  Replies replies;
  protocol::Request request = MakeRequest(Operation::kNumKeys);
  engine.Apply(1, request, absl::UnixEpoch(), replies);
  engine.Apply(1, request, absl::UnixEpoch(), replies);
  EXPECT_EQ(replies.size(), 2u);
}

}  // namespace
}  // namespace rollcall::engine
