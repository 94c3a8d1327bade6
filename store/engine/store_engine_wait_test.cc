// Who is released by what, and what cancelling, hanging up and asking on do to a wait.
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "store/engine/engine_scenario.h"
#include "store/engine/wait_list.h"
#include "store/protocol/dialect.h"

namespace rollcall::engine {
namespace {

class Waiting : public EngineTest {};

TEST_F(Waiting, NothingIsSaidUntilTheKeyComes) {
  Wait(1, {"/k"});
  EXPECT_EQ(Heard(1), "");
  EXPECT_EQ(engine().waiting_clients(), 1u);
  Set(2, "/other", "v");
  EXPECT_EQ(Heard(1), "");
  Set(2, "/k", "v");
  EXPECT_EQ(Heard(1), "00");
  EXPECT_EQ(engine().waiting_clients(), 0u);
  Set(2, "/k", "v");
  EXPECT_EQ(Heard(1), "") << "a wait is answered once";
}

TEST_F(Waiting, IsOverAtOnceIfNothingIsMissing) {
  Wait(1, {});
  Set(2, "/a", "");
  Push(2, "/q", "e");
  Wait(1, {"/a", "/q", "/a"});
  EXPECT_EQ(Heard(1), "00 00");
  EXPECT_EQ(engine().waiting_clients(), 0u);
}

TEST_F(Waiting, KeysThatAreThereAreNotWaitedFor) {
  Set(2, "/there", "v");
  Wait(1, {"/there", "/missing"});
  Delete(2, "/there");
  Set(2, "/missing", "v");
  EXPECT_EQ(Heard(1), "00");
}

TEST_F(Waiting, DuplicatesCountOnce) {
  Wait(1, {"/a", "/b", "/a", "/a"});
  Set(2, "/a", "v");
  EXPECT_EQ(Heard(1), "");
  Set(2, "/b", "v");
  EXPECT_EQ(Heard(1), "00");
}

TEST_F(Waiting, AKeyThatCameAndWentCountsAsSeen) {
  Wait(1, {"/a", "/b"});
  Set(2, "/a", "v");
  Delete(2, "/a");
  Set(2, "/b", "v");
  EXPECT_EQ(Heard(1), "00");
}

TEST_F(Waiting, AKeyThatComesTwiceCountsOnce) {
  Wait(1, {"/a", "/b"});
  Set(2, "/a", "v");
  Delete(2, "/a");
  Set(2, "/a", "v");
  EXPECT_EQ(Heard(1), "");
}

TEST_F(Waiting, EveryOperationThatCreatesAKeyReleases) {
  const auto released_by = [this](auto write) {
    Wait(1, {"/k"});
    write();
    const std::string heard = Heard(1);
    Delete(2, "/k");
    Pop(2, "/k");
    Heard(2);
    return heard;
  };
  EXPECT_EQ(released_by([this] { Set(2, "/k", "v"); }), "00");
  EXPECT_EQ(released_by([this] { CompareSet(2, "/k", "", "v"); }), "00");
  EXPECT_EQ(released_by([this] { Add(2, "/k", 0); }), "00");
  EXPECT_EQ(released_by([this] { Append(2, "/k", ""); }), "00");
  EXPECT_EQ(released_by([this] { MultiSet(2, {"/j", "/k"}, {"v", "v"}); }), "00");
  EXPECT_EQ(released_by([this] { Push(2, "/k", "e"); }), "00");
  EXPECT_EQ(released_by([this] { Barrier(2, "/k", 99); }), "00");
}

TEST_F(Waiting, NothingElseReleases) {
  Wait(1, {"/k"});
  CompareSet(2, "/k", "not empty", "v");
  Delete(2, "/k");
  Get(2, "/k");
  Pop(2, "/k");
  Check(2, {"/k"});
  Wait(2, {"/k"});
  CancelWait(2);
  Disconnect(2);
  EXPECT_EQ(Heard(1), "");
  EXPECT_EQ(engine().waiting_clients(), 1u);
}

TEST_F(Waiting, MultiSetReleasesEachOnceHoweverManyOfItsKeysCame) {
  Wait(1, {"/a", "/b", "/c"});
  Wait(2, {"/c"});
  MultiSet(3, {"/a", "/b", "/c", "/c"}, {"1", "2", "3", "4"});
  EXPECT_EQ(Heard(1), "00");
  EXPECT_EQ(Heard(2), "00");
}

TEST_F(Waiting, AllWhoWaitForAKeyAreReleased) {
  for (ClientId who = 1; who <= 50; ++who) Wait(who, {"/k"});
  Set(99, "/k", "v");
  for (ClientId who = 1; who <= 50; ++who) EXPECT_EQ(Heard(who), "00") << who;
}

TEST_F(Waiting, CancelIsAnsweredOnceWhetherOrNotTheWaitHadFired) {
  CancelWait(1);
  EXPECT_EQ(Heard(1), "01") << "with no wait at all";
  Wait(1, {"/k"});
  CancelWait(1);
  EXPECT_EQ(Heard(1), "01");
  Set(2, "/k", "v");
  EXPECT_EQ(Heard(1), "") << "after the cancel no STOP_WAITING may come";
  Wait(1, {"/later"});
  Set(2, "/later", "v");
  CancelWait(1);
  EXPECT_EQ(Heard(1), "00 01") << "the wait was over while the cancel was on its way";
}

TEST_F(Waiting, AWaitDoesNotBlockItsConnection) {
  Wait(1, {"/k"});
  Add(1, "/n", 1);
  EXPECT_EQ(Heard(1), "#1");
  Set(1, "/k", "v");
  EXPECT_EQ(Heard(1), "00") << "its own set";
}

TEST_F(Waiting, SeveralWaitsOfOneConnectionAreAnsweredOnceEachAndCancelledTogether) {
  Wait(1, {"/a"});
  Wait(1, {"/b"});
  Set(2, "/b", "v");
  EXPECT_EQ(Heard(1), "00");
  Set(2, "/a", "v");
  EXPECT_EQ(Heard(1), "00");
  Wait(1, {"/c"});
  Wait(1, {"/c", "/d"});
  Barrier(1, "/barrier", 2);
  CancelWait(1);
  EXPECT_EQ(Heard(1), "01");
  Set(2, "/c", "v");
  Set(2, "/d", "v");
  Barrier(2, "/barrier", 2);
  EXPECT_EQ(Heard(1), "");
}

TEST_F(Waiting, TooManyPendingWaitsCostTheConnection) {
  for (size_t i = 0; i < kPendingWaitsMax; ++i) Wait(1, {absl::StrCat("/", i)});
  EXPECT_EQ(Heard(1), "");
  Barrier(1, "/barrier", 2);
  EXPECT_EQ(Heard(1), "HANGUP");
  EXPECT_TRUE(absl::StrContains(last_hang_up(), "64 pending waits")) << last_hang_up();
  EXPECT_EQ(engine().waiting_clients(), 0u);
  Check(2, {"/barrier"});
  EXPECT_EQ(Heard(2), "01") << "who is sent away does not count as arrived";
}

TEST_F(Waiting, ADisconnectedClientIsForgotten) {
  Wait(1, {"/a", "/b"});
  Wait(2, {"/a"});
  Disconnect(1);
  EXPECT_EQ(engine().waiting_clients(), 1u);
  EXPECT_EQ(engine().client_count(), 1u);
  Set(3, "/a", "v");
  Set(3, "/b", "v");
  EXPECT_EQ(Heard(1), "");
  EXPECT_EQ(Heard(2), "00");
}

TEST_F(Waiting, ALegacyClientThatAsksOnHasGivenItsWaitUp) {
  for (const protocol::Dialect dialect :
       {protocol::Dialect::kLegacy, protocol::Dialect::kTorch21}) {
    Connect(1, dialect);
    Wait(1, {"/k"});
    Add(1, "/n", 0);
    EXPECT_EQ(Heard(1), "#0");
    Set(2, "/k", "v");
    EXPECT_EQ(Heard(1), "") << "a late STOP_WAITING would be taken for the next reply";
    Delete(2, "/k");
    Disconnect(1);
  }
}

TEST_F(Waiting, ALegacyClientsNewWaitTakesThePlaceOfTheOldOne) {
  ConnectLegacy(1);
  Wait(1, {"/a"});
  Wait(1, {"/b"});
  Set(2, "/a", "v");
  EXPECT_EQ(Heard(1), "");
  Set(2, "/b", "v");
  EXPECT_EQ(Heard(1), "00");
}

TEST_F(Waiting, ALegacyClientsOwnSetDoesNotAnswerTheWaitItGaveUp) {
  ConnectLegacy(1);
  Wait(1, {"/k"});
  Set(1, "/k", "v");
  EXPECT_EQ(Heard(1), "");
}

TEST_F(Waiting, ALegacyCancelIsAnswered) {
  ConnectLegacy(1);
  Wait(1, {"/k"});
  CancelWait(1);
  Set(2, "/k", "v");
  EXPECT_EQ(Heard(1), "01");
}

TEST_F(Waiting, TenThousandClientsLeaveNothingBehind) {
  for (ClientId who = 1; who <= 10'000; ++who) {
    Wait(who, {absl::StrCat("/", who), "/common"});
    Barrier(who, "/barrier", 1'000'000);
  }
  EXPECT_EQ(engine().waiting_clients(), 10'000u);
  for (ClientId who = 1; who <= 10'000; ++who) Disconnect(who);
  EXPECT_EQ(engine().waiting_clients(), 0u);
  EXPECT_EQ(engine().client_count(), 0u);
}

}  // namespace
}  // namespace rollcall::engine
