// The legacy watch_key.
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "store/engine/engine_scenario.h"
#include "store/engine/watch_list.h"

namespace rollcall::engine {
namespace {

class Watching : public EngineTest {
 protected:
  void SetUp() override { ConnectLegacy(1); }
};

TEST_F(Watching, TellsEveryChangeWithItsOldAndNewValue) {
  Watch(1, "/k");
  EXPECT_EQ(Heard(1), "03");
  Set(2, "/k", "1");
  EXPECT_EQ(Heard(1), "event 1 '/k' '' '1'");
  Set(2, "/k", "2");
  EXPECT_EQ(Heard(1), "event 0 '/k' '1' '2'");
  Add(2, "/k", 5);
  EXPECT_EQ(Heard(1), "event 0 '/k' '2' '7'");
  Append(2, "/k", "x");
  EXPECT_EQ(Heard(1), "event 4 '/k' '7' '7x'");
  CompareSet(2, "/k", "7x", "8");
  EXPECT_EQ(Heard(1), "event 0 '/k' '7x' '8'");
  Delete(2, "/k");
  EXPECT_EQ(Heard(1), "event 2 '/k' '8' ''");
}

TEST_F(Watching, TellsCreationWhateverWrote) {
  Watch(1, "/k");
  Heard(1);
  Add(2, "/k", 1);
  Delete(2, "/k");
  EXPECT_EQ(Heard(1), "event 1 '/k' '' '1' event 2 '/k' '1' ''");
  Append(2, "/k", "a");
  Delete(2, "/k");
  EXPECT_EQ(Heard(1), "event 1 '/k' '' 'a' event 2 '/k' 'a' ''");
  CompareSet(2, "/k", "", "c");
  EXPECT_EQ(Heard(1), "event 1 '/k' '' 'c'");
}

TEST_F(Watching, SaysNothingIfNothingWasStored) {
  Watch(1, "/k");
  Heard(1);
  Delete(2, "/k");
  CompareSet(2, "/k", "expected", "v");
  Get(2, "/k");
  Push(2, "/k", "e");
  Set(2, "/other", "v");
  EXPECT_EQ(Heard(1), "");
  Set(2, "/k", "abc");
  Heard(1);
  CompareSet(2, "/k", "wrong", "v");
  Add(2, "/k", 1);
  EXPECT_EQ(Heard(1), "");
}

TEST_F(Watching, RegisteringTwiceHearsTwice) {
  Watch(1, "/k");
  Watch(1, "/k");
  Set(2, "/k", "v");
  EXPECT_EQ(Heard(1), "03 03 event 1 '/k' '' 'v' event 1 '/k' '' 'v'");
}

TEST_F(Watching, OneMultiSetMayChangeAKeyTwice) {
  Watch(1, "/k");
  Heard(1);
  Keys keys = {"/k"};
  Values values = {"first, too long to be kept inside of a string object"};
  for (int i = 0; i < 500; ++i) {
    keys.push_back(absl::StrCat("/", i));
    values.push_back("v");
  }
  keys.push_back("/k");
  values.push_back("second");
  MultiSet(2, keys, values);
  EXPECT_EQ(Heard(1), absl::StrCat("event 1 '/k' '' '", values[0], "' event 0 '/k' '", values[0],
                                   "' 'second'"));
}

TEST_F(Watching, TheWriterMayWatchToo) {
  Watch(1, "/k");
  Set(1, "/k", "v");
  EXPECT_EQ(Heard(1), "03 event 1 '/k' '' 'v'");
}

TEST_F(Watching, WhoWaitsIsReleasedAsWell) {
  Watch(1, "/k");
  Wait(3, {"/k"});
  Set(2, "/k", "v");
  EXPECT_EQ(Heard(1), "03 event 1 '/k' '' 'v'");
  EXPECT_EQ(Heard(3), "00");
}

TEST_F(Watching, EndsWithTheConnection) {
  ConnectLegacy(3);
  Watch(1, "/k");
  Watch(3, "/k");
  Disconnect(1);
  Set(2, "/k", "v");
  EXPECT_EQ(Heard(1), "03");
  EXPECT_EQ(Heard(3), "03 event 1 '/k' '' 'v'");
}

TEST_F(Watching, HiddenKeysTellNothing) {
  Watch(1, "rollcall/rank/0");
  Set(2, "rollcall/rank/0", "here");
  Set(2, "rollcall/rank/0", "again");
  Delete(2, "rollcall/rank/0");
  EXPECT_EQ(Heard(1), "03");
}

TEST_F(Watching, TooManyRegistrationsCostTheConnection) {
  for (size_t i = 0; i < kWatchesMax; ++i) Watch(1, "/k");
  Heard(1);
  Watch(1, "/k");
  EXPECT_EQ(Heard(1), "HANGUP");
  EXPECT_TRUE(absl::StrContains(last_hang_up(), "more than 1024 watch_key")) << last_hang_up();
}

}  // namespace
}  // namespace rollcall::engine
