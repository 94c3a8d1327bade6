#include "fault_injection/real/role_lines.h"

#include <optional>
#include <string>

#include "gtest/gtest.h"

namespace rollcall::fault {
namespace {

TEST(RoleLines, AnOutcomeComesBackAsItWas) {
  StepOutcome outcome;
  outcome.set_who("w1");
  outcome.set_text("two\nlines, and a \0 in them");
  outcome.add_missing_ranks(3);
  const std::optional<StepOutcome> back = OutcomeFromHex(OutcomeToHex(outcome));
  ASSERT_TRUE(back.has_value());
  EXPECT_EQ(back->SerializeAsString(), outcome.SerializeAsString());
}

TEST(RoleLines, WhatIsNoOutcomeIsNone) {
  EXPECT_FALSE(OutcomeFromHex("abc").has_value());
  EXPECT_FALSE(OutcomeFromHex("xy").has_value());
  EXPECT_FALSE(OutcomeFromHex("ff").has_value());
}

TEST(RoleLines, ALineIsAWordAndTheRest) {
  EXPECT_EQ(RoleLineOf("go").word, "go");
  EXPECT_EQ(RoleLineOf("go").rest, "");
  EXPECT_EQ(RoleLineOf("acted 2 EMFILE").word, "acted");
  EXPECT_EQ(RoleLineOf("acted 2 EMFILE").rest, "2 EMFILE");
}

TEST(RoleLines, PiecesBecomeLines) {
  LineBuffer lines;
  lines.Add("rea");
  EXPECT_EQ(lines.Next(), std::nullopt);
  lines.Add("dy\nbegin 00\nen");
  EXPECT_EQ(lines.Next(), "ready");
  EXPECT_EQ(lines.Next(), "begin 00");
  EXPECT_EQ(lines.Next(), std::nullopt);
}

}  // namespace
}  // namespace rollcall::fault
