// Queues, and waiting for them.
#include <string>

#include "gtest/gtest.h"
#include "store/engine/engine_scenario.h"

namespace rollcall::engine {
namespace {

class Queue : public EngineTest {};

TEST_F(Queue, IsFirstInFirstOutAndSaysItsLengthBeforeThePop) {
  Push(1, "/q", "first");
  Push(1, "/q", "");
  EXPECT_EQ(Heard(1), "");
  QueueLength(2, "/q");
  Pop(2, "/q");
  Pop(2, "/q");
  Pop(2, "/q");
  QueueLength(2, "/q");
  EXPECT_EQ(Heard(2), "#2 2<'first' 1<'' 0< #0");
}

TEST_F(Queue, PoppingAMissingQueueLeavesNothingBehind) {
  Pop(1, "/q");
  Check(1, {"/q"});
  EXPECT_EQ(Heard(1), "0< 01");
}

TEST_F(Queue, IsNotAKey) {
  Push(1, "/q", "e");
  Get(1, "/q");
  NumKeys(1);
  Delete(1, "/q");
  Add(1, "/q", 1);
  QueueLength(1, "/q");
  EXPECT_EQ(Heard(1), "'' #0 #0 #1 #1");
  Get(1, "/q");
  Pop(1, "/q");
  EXPECT_EQ(Heard(1), "'1' 1<'e'");
}

TEST_F(Queue, APushReleasesOneOfTwoBlockedConsumers) {
  Wait(1, {"/q"});
  Wait(2, {"/q"});
  Push(9, "/q", "a");
  EXPECT_EQ(Heard(1), "00");
  EXPECT_EQ(Heard(2), "");
  Pop(1, "/q");
  EXPECT_EQ(Heard(1), "1<'a'");
  Push(9, "/q", "b");
  EXPECT_EQ(Heard(2), "00");
  EXPECT_EQ(Heard(1), "") << "who was released is off the list";
  Pop(2, "/q");
  EXPECT_EQ(Heard(2), "1<'b'");
}

TEST_F(Queue, TwoPushesReleaseTwoEvenBeforeAnythingIsPopped) {
  Wait(1, {"/q"});
  Wait(2, {"/q"});
  Push(9, "/q", "a");
  Push(9, "/q", "b");
  EXPECT_EQ(Heard(1), "00");
  EXPECT_EQ(Heard(2), "00");
}

TEST_F(Queue, AReleasedConsumerIsNotReleasedFromItsNextWait) {
  Wait(1, {"/q"});
  Push(9, "/q", "a");
  EXPECT_EQ(Heard(1), "00");
  Wait(1, {"/other"});
  Push(9, "/q", "b");
  EXPECT_EQ(Heard(1), "");
  Set(9, "/other", "v");
  EXPECT_EQ(Heard(1), "00");
}

TEST_F(Queue, ACancelledConsumerDoesNotUseAPushUp) {
  Wait(1, {"/q"});
  Wait(2, {"/q"});
  Wait(3, {"/q"});
  CancelWait(1);
  Disconnect(2);
  Push(9, "/q", "a");
  EXPECT_EQ(Heard(1), "01");
  EXPECT_EQ(Heard(3), "00");
}

TEST_F(Queue, QueuesAndKeysMixInOneWait) {
  Push(9, "/full", "e");
  Wait(1, {"/full", "/k"});
  Set(9, "/k", "v");
  EXPECT_EQ(Heard(1), "00") << "a queue that was full already needs no further push";
  Wait(1, {"/empty", "/k2"});
  Push(9, "/empty", "e");
  Pop(9, "/empty");
  EXPECT_EQ(Heard(1), "");
  Set(9, "/k2", "v");
  EXPECT_EQ(Heard(1), "00") << "a queue that was full for a moment counts as seen";
}

TEST_F(Queue, APushPassesOverAWaitThatLacksMore) {
  Wait(1, {"/q", "/k"});
  Wait(2, {"/q"});
  Push(9, "/q", "e");
  EXPECT_EQ(Heard(1), "");
  EXPECT_EQ(Heard(2), "00");
}

TEST_F(Queue, AKeyOfTheSameNameReleasesAllWhoAreLeft) {
  for (ClientId who = 1; who <= 3; ++who) Wait(who, {"/q"});
  Push(9, "/q", "e");
  Set(9, "/q", "v");
  for (ClientId who = 1; who <= 3; ++who) EXPECT_EQ(Heard(who), "00") << who;
}

}  // namespace
}  // namespace rollcall::engine
