#include "fault_injection/choices.h"

#include <set>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "fault_injection/choice_record.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace rollcall::fault {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Pair;

class ChoicesTest : public testing::Test {
 protected:
  Choices::Actor w0_{"w0"};
  Choices::Actor w1_{"w1"};
};

TEST_F(ChoicesTest, AValueHangsOnSeedActorSiteAndOccurrenceAlone) {
  Choices busy({.seed = 9});
  Choices calm({.seed = 9});
  for (int i = 0; i < 10; ++i) {
    busy.Next(busy.SiteOf(w1_, "latency"), 7);
    busy.Next(busy.SiteOf(w0_, "port"), 7);
    EXPECT_EQ(busy.Next(busy.SiteOf(w0_, "latency"), 1000).value,
              calm.Next(calm.SiteOf(w0_, "latency"), 1000).value);
  }
}

TEST_F(ChoicesTest, EveryValueIsDrawnAboutAsOften) {
  Choices choices({.seed = 1});
  Choices::Site& site = choices.SiteOf(w0_, "dice");
  std::vector<int> count(6);
  for (int i = 0; i < 60'000; ++i) ++count.at(choices.Next(site, 6).value);
  for (const int times : count) EXPECT_NEAR(times, 10'000, 500);
}

TEST_F(ChoicesTest, SeedsNextToEachOtherHaveNothingInCommon) {
  std::set<uint64_t> values;
  for (uint64_t seed = 0; seed < 1000; ++seed) {
    Choices choices({.seed = seed});
    values.insert(choices.Next(choices.SiteOf(w0_, "dice"), ~uint64_t{0}).value);
  }
  EXPECT_EQ(values.size(), 1000u);
}

TEST_F(ChoicesTest, WhatAReplayDoesNotSayIsZero) {
  Choices choices({.replay = {{{"w0", "dice", 2}, {5, 6}}}});
  Choices::Site& site = choices.SiteOf(w0_, "dice");
  EXPECT_EQ(choices.Next(site, 6).value, 0u);
  EXPECT_EQ(choices.Next(site, 6).value, 5u);
  EXPECT_EQ(choices.Next(site, 6).value, 0u);
  EXPECT_THAT(choices.record(), ElementsAre(Pair(ChoiceKey{"w0", "dice", 2}, Choice{5, 6})));
}

TEST_F(ChoicesTest, AReplayThatAsksForTooMuchGetsTheMost) {
  Choices choices({.replay = {{{"w0", "dice", 1}, {5, 6}}}});
  EXPECT_EQ(choices.Next(choices.SiteOf(w0_, "dice"), 3).value, 2u);
}

TEST_F(ChoicesTest, AReplayCanOverrideASeed) {
  Choices drawn({.seed = 3});
  Choices overridden({.seed = 3, .replay = {{{"w0", "dice", 1}, {0, 1000}}}});
  EXPECT_EQ(overridden.Next(overridden.SiteOf(w0_, "dice"), 1000).value, 0u);
  drawn.Next(drawn.SiteOf(w0_, "dice"), 1000);
  EXPECT_EQ(drawn.Next(drawn.SiteOf(w0_, "dice"), 1000).value,
            overridden.Next(overridden.SiteOf(w0_, "dice"), 1000).value);
}

TEST_F(ChoicesTest, OneOfOneIsNoChoiceButCounts) {
  Choices choices({.replay = {{{"w0", "dice", 2}, {5, 6}}}});
  EXPECT_EQ(choices.Next(choices.SiteOf(w0_, "dice"), 1).value, 0u);
  EXPECT_EQ(choices.Next(choices.SiteOf(w0_, "dice"), 6).value, 5u);
}

TEST(ChoiceRecordTest, IsTheSameAfterItWasText) {
  const ChoiceRecord record = {
      {{"w0", "turn", 17}, {512, 1024}},
      {{"w0", "turn", 2}, {1, 1024}},
      {{"tab\tnewline\nquote\"\xff", "send bytes", 1}, {3, 0xffffffffffffffff}},
  };
  const std::string text = ToText(record);
  EXPECT_EQ(text,
            "# rollcall choices: actor, site, occurrence, value, of n\n"
            "tab\\tnewline\\nquote\\\"\\377\tsend bytes\t1\t3\t18446744073709551615\n"
            "w0\tturn\t2\t1\t1024\n"
            "w0\tturn\t17\t512\t1024\n");
  EXPECT_EQ(*ChoiceRecordFromText(text), record);
}

TEST(ChoiceRecordTest, TakesCommentsAndBlankLines) {
  EXPECT_THAT(*ChoiceRecordFromText(""), IsEmpty());
  EXPECT_THAT(*ChoiceRecordFromText("# why\n\r\n\nw0\tdice\t1\t2\t6\r\n"),
              ElementsAre(Pair(ChoiceKey{"w0", "dice", 1}, Choice{2, 6})));
}

TEST(ChoiceRecordTest, SaysWhichLineIsWrong) {
  const auto error_of = [](absl::string_view text) {
    const absl::Status status = ChoiceRecordFromText(text).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
    return std::string(status.message());
  };
  EXPECT_THAT(error_of("#\nw0 dice 1 2 6"), HasSubstr("line 2 (\"w0 dice 1 2 6\")"));
  EXPECT_THAT(error_of("w0\tdice\t0\t2\t6"), HasSubstr("occurrence"));
  EXPECT_THAT(error_of("w0\tdice\t1\t6\t6"), HasSubstr("below n"));
  EXPECT_THAT(error_of("w0\tdice\t1\tx\t6"), HasSubstr("below n"));
  EXPECT_THAT(error_of("w0\\\tdice\t1\t2\t6"), HasSubstr("escaped"));
  EXPECT_THAT(error_of("w0\tdice\t1\t2\t6\nw0\tdice\t1\t3\t6"), HasSubstr("second time"));
}

}  // namespace
}  // namespace rollcall::fault
