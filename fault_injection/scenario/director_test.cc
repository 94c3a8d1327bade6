#include "fault_injection/scenario/director.h"

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "fault_injection/scenario/scenario_text.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace rollcall::fault {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

Scenario With(const std::string& more) {
  return ParseScenario(absl::StrCat(R"(
    about: "Two meet."
    server {}
    workers { count: 2 steps { join {} } steps { barrier { name: "b" } } }
  )",
                                    more),
                       "directed")
      .value();
}

// "0 begins", "0 ends".
std::vector<std::string> Due(Director& director, absl::Duration now) {
  std::vector<std::string> due;
  for (const Director::Cue& cue : director.Take(now)) {
    due.push_back(absl::StrCat(cue.fault, cue.ends ? " ends" : " begins"));
  }
  return due;
}

TEST(DirectorTest, AFaultBeginsAtItsTimeAndEndsWhenItHasLasted) {
  const Scenario scenario = With(R"(faults { at: "1s" lasts: "2s" pause: "w0" })");
  Director director(scenario);
  EXPECT_EQ(director.next(), absl::Seconds(1));
  EXPECT_THAT(Due(director, absl::Milliseconds(999)), IsEmpty());
  EXPECT_THAT(Due(director, absl::Seconds(1)), ElementsAre("0 begins"));
  EXPECT_EQ(director.next(), absl::Seconds(3));
  EXPECT_THAT(Due(director, absl::Seconds(9)), ElementsAre("0 ends"));
  EXPECT_EQ(director.next(), absl::InfiniteDuration());
}

TEST(DirectorTest, AFaultThatWaitsForAMomentBeginsSoMuchLater) {
  const Scenario scenario =
      With(R"(faults { when { who: "w1" step: "join" ends: true } after: "10ms" kill: "w1" })");
  Director director(scenario);
  EXPECT_EQ(director.next(), absl::InfiniteDuration());
  director.Note("w0", "join", /*ends=*/true, absl::Seconds(1));
  director.Note("w1", "join", /*ends=*/false, absl::Seconds(1));
  EXPECT_EQ(director.next(), absl::InfiniteDuration());
  director.Note("w1", "join", /*ends=*/true, absl::Seconds(2));
  EXPECT_THAT(Due(director, absl::Milliseconds(2010)), ElementsAre("0 begins"));
}

TEST(DirectorTest, WhatIsDueTogetherComesInTheOrderOfTheScenario) {
  const Scenario scenario =
      With(R"(faults { at: "1s" kill: "w0" } faults { kill: "w1" at: "1s" })");
  Director director(scenario);
  EXPECT_THAT(Due(director, absl::Seconds(1)), ElementsAre("0 begins", "1 begins"));
}

TEST(DirectorTest, AStepWaitsForTheOneThatTheOrderPutsFirst) {
  const Scenario scenario = With(R"(orders { first { who: "w0" step: "join" ends: true }
                                             then { who: "w1" step: "join" } })");
  Director director(scenario);
  EXPECT_TRUE(director.MayBegin("w0", "join"));
  EXPECT_FALSE(director.MayBegin("w1", "join"));
  EXPECT_TRUE(director.MayBegin("w1", "barrier"));
  director.Note("w0", "join", /*ends=*/true, absl::Seconds(1));
  EXPECT_TRUE(director.MayBegin("w1", "join"));
}

}  // namespace
}  // namespace rollcall::fault
