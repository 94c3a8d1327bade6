#include "fault_injection/sweep/sweep.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

#include "fault_injection/legal_errnos.h"
#include "fault_injection/scenario/fixtures.h"
#include "fault_injection/scenario/scenario_text.h"
#include "fault_injection/sweep/fault_site.h"
#include "fault_injection/sweep/sweep_plan.h"
#include "store/dist_error.h"
#include "store/error_code.h"

namespace rollcall::fault {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Key;

constexpr char kWorkload[] = R"(
  about: "One worker writes and reads."
  server {}
  workers {
    timeout: "1s"
    steps { join {} }
    steps { set { key: "a" value: "1" } goes_on: true }
    steps { get { key: "a" } goes_on: true }
  }
)";

// A sweep of `workload` against `contract`.
SweepReport SweepOf(absl::string_view workload, absl::string_view contract, size_t pairs = 0,
                    const Fixtures& fixtures = {}) {
  const Scenario scenario = ParseScenario(workload, "w").value();
  ContractTable table = ContractTable::Parse(contract, "c").value();
  Sweep sweep(&table, fixtures, {.pairs = pairs});
  sweep.AddWorkload("w", scenario);
  return sweep.Run();
}

TEST(SweepTest, EveryLegalErrorOfTheCallsOfAWorkloadIsInjected) {
  const SweepReport report = SweepOf(kWorkload, "");
  for (const Call call : {Call::kBind, Call::kAccept, Call::kConnect, Call::kRecv, Call::kSend}) {
    size_t errors = 0;
    for (const auto& [call_and_error, times] : report.injected) {
      errors += call_and_error.first == RowOf(call).name;
    }
    EXPECT_EQ(errors, RowOf(call).legal_errnos.size()) << RowOf(call).name;
  }
  EXPECT_THAT(report.failures, IsEmpty());
}

TEST(SweepTest, WhatNoCellSpeaksOfFailsTheSweep) {
  const SweepReport report = SweepOf(kWorkload, "");
  EXPECT_FALSE(report.passed());
  EXPECT_EQ(report.unknown.size(), report.seen.size());
}

TEST(SweepTest, ItsOwnCellsMakeItPass) {
  const SweepReport first = SweepOf(kWorkload, "");
  const SweepReport second = SweepOf(kWorkload, CellsAsText(first.seen));
  EXPECT_TRUE(second.passed()) << testing::PrintToString(second.failures);
  EXPECT_EQ(first.singles, second.singles);
}

TEST(SweepTest, ACellThatAllowsLessFailsIt) {
  std::map<CellKey, Observation> cells = SweepOf(kWorkload, "").seen;
  cells[{"get", RECEIVE, "recv", "ECONNRESET"}] = {{"OK"}, {}, false};
  const SweepReport report = SweepOf(kWorkload, CellsAsText(cells));
  ASSERT_FALSE(report.failures.empty());
  EXPECT_THAT(report.failures[0], HasSubstr("ECONNRESET in get]\n    the step ended with "
                                            "CONNECTION_LOST; the contract allows OK"));
}

TEST(SweepTest, PairsAreTheSameEachTime) {
  const std::string contract = CellsAsText(SweepOf(kWorkload, "").seen);
  const SweepReport first = SweepOf(kWorkload, contract, /*pairs=*/40);
  const SweepReport second = SweepOf(kWorkload, contract, /*pairs=*/40);
  EXPECT_GT(first.pairs, 0u);
  EXPECT_EQ(first.pairs, second.pairs);
  EXPECT_EQ(first.failures, second.failures);
}

TEST(SweepTest, TheFirstAndLastCallOfAKindFailInEveryWayTheOthersTakeTurns) {
  FaultSite site;
  site.host = "w0";
  site.call = &RowOf(Call::kPoll);
  site.phase = RECEIVE;
  std::vector<FaultSite> sites(5, site);
  for (size_t i = 0; i < sites.size(); ++i) sites[i].occurrence = i + 1;
  std::vector<std::string> faults;
  for (const PlannedFault& fault : SingleFaults(sites, {})) faults.push_back(FaultText(fault));
  EXPECT_THAT(faults, ElementsAre("w0 poll#1 EINTR", "w0 poll#1 ENOMEM", "w0 poll#1 delayed",
                                  "w0 poll#2 EINTR", "w0 poll#3 ENOMEM", "w0 poll#4 delayed",
                                  "w0 poll#5 EINTR", "w0 poll#5 ENOMEM", "w0 poll#5 delayed"));
  EXPECT_EQ(SingleFaults(sites, {.all_faults = true}).size(), 15u);
}

TEST(SweepTest, AStepThatTellsOfItsTimeOutTooEarlyFailsIt) {
  const Fixtures fixtures = {{"hasty", [](const FixtureContext& context) -> std::string {
                                try {
                                  return context.store->Get("a");
                                } catch (const DistNetworkError&) {
                                  throw DistStoreError(ErrorCode::kWaitTimeout, "given up", {});
                                }
                              }}};
  const SweepReport report = SweepOf(
      R"(about: "One reads in a way of its own."
         server {}
         workers {
           timeout: "1s"
           steps { join {} }
           steps { set { key: "a" value: "1" } goes_on: true }
           steps { fixture: "hasty" goes_on: true }
         })",
      "", /*pairs=*/0, fixtures);
  ASSERT_FALSE(report.failures.empty());
  EXPECT_THAT(report.failures[0],
              HasSubstr("in fixture]\n    w0 fixture had WAIT_TIMEOUT after 0 of 1s"));
}

TEST(SweepTest, AWorkloadThatFailsByItselfIsNone) {
  const SweepReport report = SweepOf(
      R"(about: "Nobody sets it." server {} workers { timeout: "1s" steps { join {} } steps { get { key: "none" } } })",
      "");
  ASSERT_EQ(report.failures.size(), 1u);
  EXPECT_THAT(report.failures[0], HasSubstr("without a fault, w0 get: WAIT_TIMEOUT"));
  EXPECT_EQ(report.singles, 0u);
}

TEST(SweepTest, ServersAndClientsOfOneHostAreToldApart) {
  const SweepReport report = SweepOf(R"(
    about: "One worker hosts."
    workers {
      timeout: "1s"
      steps { join { rank_0_hosts: true } }
    })",
                                     "");
  const CellKey listening{"join", START, "socket", "EMFILE"};
  const CellKey connecting{"join", CONNECT, "socket", "EMFILE"};
  ASSERT_THAT(report.seen, Contains(Key(testing::Truly([&](const CellKey& key) {
                return !(key < listening) && !(listening < key);
              }))));
  EXPECT_TRUE(report.seen.at(listening).outcomes.contains("RESOURCE_EXHAUSTED"));
  EXPECT_EQ(report.seen.at(connecting).outcomes, std::set<std::string>{"OK"});
}

}  // namespace
}  // namespace rollcall::fault
