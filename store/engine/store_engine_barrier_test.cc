// The BARRIER operation.
#include <string>

#include "absl/strings/match.h"
#include "gtest/gtest.h"
#include "store/engine/engine_scenario.h"

namespace rollcall::engine {
namespace {

class BarrierOf : public EngineTest {};

TEST_F(BarrierOf, AllAreReleasedByTheLast) {
  Barrier(1, "/b", 3);
  Barrier(2, "/b", 3);
  EXPECT_EQ(Heard(1), "");
  EXPECT_EQ(Heard(2), "");
  Barrier(3, "/b", 3);
  EXPECT_EQ(Heard(1), "00");
  EXPECT_EQ(Heard(2), "00");
  EXPECT_EQ(Heard(3), "00");
  EXPECT_EQ(engine().waiting_clients(), 0u);
}

TEST_F(BarrierOf, ItsCounterIsAnOrdinaryKey) {
  Wait(9, {"/b"});
  Barrier(1, "/b", 3);
  EXPECT_EQ(Heard(9), "00") << "a new key";
  Get(9, "/b");
  Add(9, "/b", 1);
  NumKeys(9);
  EXPECT_EQ(Heard(9), "'1' #2 #1");
  EXPECT_EQ(Heard(1), "");
  Barrier(2, "/b", 3);
  EXPECT_EQ(Heard(1), "00") << "an add counts as a member";
  EXPECT_EQ(Heard(2), "00");
}

TEST_F(BarrierOf, IsNotReusable) {
  Barrier(1, "/b", 1);
  Barrier(1, "/b", 1);
  Barrier(2, "/b", 2);
  EXPECT_EQ(Heard(1), "00 00");
  EXPECT_EQ(Heard(2), "00");
}

TEST_F(BarrierOf, NobodyPassesAtOnce) {
  Barrier(1, "/b", 0);
  Barrier(1, "/c", -5);
  EXPECT_EQ(Heard(1), "00 00");
  Set(2, "/d", "-100");
  Barrier(1, "/d", 0);
  EXPECT_EQ(Heard(1), "00");
  Get(1, "/b");
  EXPECT_EQ(Heard(1), "'1'") << "it counts all the same";
}

TEST_F(BarrierOf, OnlyItsCountReleasesItsMembers) {
  Barrier(1, "/b", 3);
  Set(2, "/b", "2");
  Append(2, "/b", "");
  Add(2, "/b", 0);
  Push(2, "/b", "e");
  Delete(2, "/b");
  Set(2, "/b", "2");
  Heard(2);
  EXPECT_EQ(Heard(1), "") << "torch's server would have released it by the first set";
  Barrier(2, "/b", 3);
  EXPECT_EQ(Heard(1), "00");
  EXPECT_EQ(Heard(2), "00");
}

TEST_F(BarrierOf, AMemberThatCancelsOrLeavesStaysCounted) {
  Barrier(1, "/b", 4);
  CancelWait(1);
  EXPECT_EQ(Heard(1), "01");
  Barrier(2, "/b", 4);
  Disconnect(2);
  Barrier(3, "/b", 4);
  EXPECT_EQ(Heard(3), "");
  Barrier(1, "/b", 4);
  EXPECT_EQ(Heard(1), "00") << "who comes again is counted again";
  EXPECT_EQ(Heard(3), "00");
  EXPECT_EQ(Heard(2), "");
}

TEST_F(BarrierOf, OneConnectionTwiceIsTwoMembersAndAnsweredTwice) {
  Barrier(1, "/b", 2);
  Barrier(1, "/b", 2);
  EXPECT_EQ(Heard(1), "00 00");
}

TEST_F(BarrierOf, WhatIsNoNumberCostsTheCallerItsConnectionAndNothingElse) {
  Barrier(1, "/b", 2);
  Set(9, "/b", "abc");
  Barrier(2, "/b", 2);
  EXPECT_EQ(Heard(2), "HANGUP");
  EXPECT_TRUE(absl::StrContains(last_hang_up(), "2: barrier on the key \"/b\": the value \"abc\""))
      << last_hang_up();
  EXPECT_EQ(Heard(1), "");
  Get(9, "/b");
  EXPECT_EQ(Heard(9), "'abc'");
}

TEST_F(BarrierOf, BarriersDoNotMix) {
  Barrier(1, "/b", 2);
  Barrier(2, "/c", 2);
  Barrier(3, "/b", 2);
  EXPECT_EQ(Heard(1), "00");
  EXPECT_EQ(Heard(2), "");
}

}  // namespace
}  // namespace rollcall::engine
