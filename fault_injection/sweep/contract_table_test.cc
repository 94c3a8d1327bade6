#include "fault_injection/sweep/contract_table.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"

namespace rollcall::fault {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Pair;

constexpr char kText[] = R"(
  groups { name: "reset" members: ["ECONNRESET", "EPIPE"] }
  cells { operations: "set" phase: SEND calls: "send" faults: "reset"
          outcomes: ["OK", "CONNECTION_LOST"] elsewhere: "WAIT_TIMEOUT" }
)";

ContractTable Parsed() { return ContractTable::Parse(kText, "c").value(); }

std::string ProblemOf(absl::string_view text) {
  return std::string(ContractTable::Parse(text, "c").status().message());
}

TEST(ContractTableTest, FindsACellByEachOfItsWords) {
  const ContractTable table = Parsed();
  EXPECT_NE(table.Find({"set", SEND, "send", "EPIPE"}), nullptr);
  EXPECT_EQ(table.Find({"set", SEND, "send", "EBADF"}), nullptr);
  EXPECT_EQ(table.Find({"get", SEND, "send", "EPIPE"}), nullptr);
}

TEST(ContractTableTest, SaysWhatIsWrongWithAContract) {
  EXPECT_THAT(ProblemOf(R"(cells { operations: "get" calls: "recv" faults: "EPIPE" })"),
              HasSubstr("EPIPE"));
  EXPECT_THAT(ProblemOf(R"(cells { operations: "get" calls: "rcv" faults: "EBADF" })"),
              HasSubstr("recv"));
  EXPECT_THAT(
      ProblemOf(R"(cells { operations: "get" calls: "recv" faults: "EBADF" outcomes: "LOST" })"),
      HasSubstr("no such code: LOST"));
  EXPECT_THAT(ProblemOf(absl::StrCat(kText, R"(cells { operations: "set" phase: SEND calls: "send"
                                                       faults: "EPIPE" })")),
              HasSubstr("two cells for set SEND send EPIPE"));
}

TEST(ContractTableTest, WhatACellDoesNotAllowIsAViolation) {
  const ContractTable table = Parsed();
  const Cell& cell = *table.Find({"set", SEND, "send", "EPIPE"});
  EXPECT_THAT(ContractTable::Violations(cell, {{"OK"}, {}, false}), IsEmpty());
  EXPECT_THAT(ContractTable::Violations(cell, {{"CLOSED"}, {}, false}),
              ElementsAre(HasSubstr("CLOSED")));
  EXPECT_THAT(ContractTable::Violations(cell, {{"OK"}, {"PROTOCOL"}, false}),
              ElementsAre(HasSubstr("PROTOCOL")));
  EXPECT_THAT(ContractTable::Violations(cell, {{"OK"}, {}, true}),
              ElementsAre(HasSubstr("longer than its time-out")));
}

TEST(ContractTableTest, EveryWordOfACellMustBeMet) {
  ContractTable table = Parsed();
  table.Note({"set", SEND, "send", "EPIPE"}, {{"OK"}, {}, false});
  ASSERT_EQ(table.Unmet().size(), 1u);
  EXPECT_THAT(table.Unmet()[0], HasSubstr("never met: faults ECONNRESET, outcomes "
                                          "CONNECTION_LOST, elsewhere WAIT_TIMEOUT of cells"));
  table.Note({"set", SEND, "send", "ECONNRESET"}, {{"CONNECTION_LOST"}, {"WAIT_TIMEOUT"}, false});
  EXPECT_THAT(table.Unmet(), IsEmpty());
}

constexpr char kRule[] = R"(
  pairs { operations: ["get", "set"] phase: CONNECT calls: "connect" may_add: "WAIT_TIMEOUT" }
)";

TEST(ContractTableTest, ARuleSpeaksOfPairsBySecondFault) {
  const ContractTable table = ContractTable::Parse(kRule, "c").value();
  EXPECT_THAT(table.AllowedToPair({"set", CONNECT, "connect", "ENOMEM"}),
              ElementsAre(Pair(0u, ElementsAre("WAIT_TIMEOUT"))));
  EXPECT_THAT(table.AllowedToPair({"add", CONNECT, "connect", "ENOMEM"}), IsEmpty());
  EXPECT_THAT(table.AllowedToPair({"set", SEND, "connect", "ENOMEM"}), IsEmpty());
  EXPECT_THAT(table.AllowedToPair({"set", CONNECT, "socket", "ENOMEM"}), IsEmpty());
}

TEST(ContractTableTest, EveryWordOfARuleMustBeMet) {
  ContractTable table = ContractTable::Parse(kRule, "c").value();
  EXPECT_EQ(table.pair_rules_met(), 0u);
  table.NotePair(0, {"set", CONNECT, "connect", "ENOMEM"}, {});
  ASSERT_EQ(table.Unmet().size(), 1u);
  EXPECT_THAT(table.Unmet()[0],
              HasSubstr("never met: operations get, may_add WAIT_TIMEOUT of pairs"));
  table.NotePair(0, {"get", CONNECT, "connect", "EPERM"}, {"WAIT_TIMEOUT"});
  EXPECT_THAT(table.Unmet(), IsEmpty());
  EXPECT_EQ(table.pair_rules_met(), 1u);
}

TEST(ContractTableTest, SaysWhatIsWrongWithARule) {
  EXPECT_THAT(ProblemOf(R"(pairs { calls: "conect" may_add: "CLOSED" })"), HasSubstr("connect"));
  EXPECT_THAT(ProblemOf(R"(pairs { may_add: "LOST" })"), HasSubstr("no such code: LOST"));
  EXPECT_THAT(ProblemOf(R"(pairs { calls: "connect" })"), HasSubstr("adds nothing"));
}

TEST(ContractTableTest, WhatWasSeenCanBePastedAsCells) {
  const std::string text = CellsAsText({{{"get", RECEIVE, "recv", "EBADF"}, {{"OK"}, {}, false}},
                                        {{"set", RECEIVE, "recv", "EBADF"}, {{"OK"}, {}, false}},
                                        {{"get", RECEIVE, "recv", "EINTR"}, {{"OK"}, {}, false}}});
  EXPECT_THAT(text, HasSubstr(R"(operations: "get" phase: RECEIVE calls: "recv" faults: )"));
  EXPECT_TRUE(ContractTable::Parse(text, "c").ok()) << text;
}

}  // namespace
}  // namespace rollcall::fault
