#include "fault_injection/real/rungs.h"

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "fault_injection/scenario/scenario.pb.h"
#include "fault_injection/scenario/scenario_text.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace rollcall::fault {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

Scenario Parsed(const std::string& more) {
  return ParseScenario(absl::StrCat(R"(about: "A test." server {}
                                       workers { count: 2 steps { join {} } })",
                                    more),
                       "test.textproto")
      .value();
}

TEST(Rungs, WhatAProxyAndSignalsCanMakeRunsOnBoth) {
  const RungsReport report = RungsOf(Parsed(R"(
      faults { cut { from: "w0" to: "server" } lasts: "1s" }
      faults { at: "1s" pause: "w1" lasts: "1s" }
      faults { call { host: "w0" call: "recv" nth: "1" fails: "EINTR" } })"));
  EXPECT_THAT(report.against_sim, IsEmpty());
  EXPECT_THAT(report.against_real, IsEmpty());
}

TEST(Rungs, EachFaultThatNoRealMachineMakesIsNamed) {
  const RungsReport report = RungsOf(Parsed(R"(
      faults { name: "no way" unreachable { from: "w0" to: "server" error: "ENETUNREACH" } }
      faults { backlog { host: "server" max: 1 } })"));
  EXPECT_THAT(report.against_sim, IsEmpty());
  EXPECT_THAT(report.against_real,
              ElementsAre(HasSubstr("no way: no kernel"), HasSubstr("fault 2 (backlog)")));
}

TEST(Rungs, AnAuthorMayLeaveOneOut) {
  const RungsReport report = RungsOf(Parsed(R"(rungs: SIM rungs_why: "It takes a month.")"));
  EXPECT_THAT(report.against_sim, IsEmpty());
  EXPECT_THAT(report.against_real, ElementsAre(HasSubstr("It takes a month.")));
}

TEST(Rungs, TwoServersAtOnePortNeedTwoMachines) {
  const RungsReport report = RungsOf(Parsed("workers { steps { listen {} } }"));
  EXPECT_THAT(report.against_real, ElementsAre(HasSubstr("several hosts listen")));
}

TEST(Rungs, ACrowdIsForTheSimulator) {
  const RungsReport report = RungsOf(Parsed(R"(strangers { name: "crowd" connections: 5000 })"));
  EXPECT_THAT(report.against_real, ElementsAre(HasSubstr("5002 connections")));
}

TEST(Rungs, AForeignServersProcessIsLeftAlone) {
  EXPECT_THAT(AgainstForeignServer(Parsed(R"(faults { black_hole: "server" })")), IsEmpty());
  EXPECT_THAT(AgainstForeignServer(Parsed(R"(faults { at: "1s" kill: "w0" })")), IsEmpty());
  EXPECT_THAT(AgainstForeignServer(Parsed(R"(faults { at: "1s" kill: "server" })")),
              ElementsAre(HasSubstr("fault 1 (kill)")));
}

TEST(Rungs, AForeignServerIsSetUpByOthers) {
  Scenario scenario = Parsed("");
  scenario.mutable_server()->set_start_at("1s");
  scenario.mutable_server()->set_connections_max(2);
  EXPECT_THAT(AgainstForeignServer(scenario),
              ElementsAre(HasSubstr("start_at"), HasSubstr("connections_max")));
}

}  // namespace
}  // namespace rollcall::fault
