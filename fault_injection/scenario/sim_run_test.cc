// What a run of a scenario shows, and that a run is the same every time, recorded or not.
#include "fault_injection/scenario/sim_run.h"

#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "fault_injection/report/run_recorder.h"
#include "fault_injection/scenario/bundle.h"
#include "fault_injection/scenario/fixtures.h"
#include "fault_injection/scenario/scenario_runner.h"
#include "fault_injection/scenario/scenario_text.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace rollcall::fault {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

constexpr char kKilledRank[] = R"(
  about: "A rank dies before the barrier and comes back."
  server {}
  workers {
    count: 3
    timeout: "2s"
    steps { join {} }
    steps { barrier { name: "ready" } }
  }
  faults { when { who: "w1" step: "barrier" } kill: "w1" }
  faults { when { who: "w1" step: "barrier" } after: "500ms" restart: "w1" }
)";

Scenario Parse(absl::string_view text) { return ParseScenario(text, "test").value(); }

TEST(SimRunTest, AKilledRankComesBackAndTheOthersAreServed) {
  const RunResult result = RunSimulated(Parse(kKilledRank), {}, {.seed = 1});
  EXPECT_EQ(result.ended, absl::OkStatus());
  EXPECT_THAT(result.leaks, IsEmpty());
  EXPECT_THAT(result.acted, ElementsAre(1, 1));
}

TEST(SimRunTest, WhatComesAfterAMomentComesThenAndNotWhenSomethingElseHappens) {
  const RunResult result = RunSimulated(Parse(R"(
    about: "The worker dies in the middle of its only step."
    workers { steps { sleep: "2s" } }
    faults { when { who: "w0" step: "sleep" } after: "500ms" kill: "w0" }
  )"),
                                        {}, {.seed = 1});
  EXPECT_THAT(result.acted, ElementsAre(1));
  EXPECT_EQ(result.elapsed, absl::Milliseconds(500));
}

TEST(SimRunTest, WhatComesWithAStepComesWhenTheOrderLetsTheStepBegin) {
  const RunResult result = RunSimulated(Parse(R"(
    about: "A worker whose step is held up dies when that has begun."
    workers { steps { name: "held up" sleep: "1s" } }
    workers { steps { name: "first" sleep: "2s" } }
    faults { when { who: "w0" step: "held up" } after: "500ms" kill: "w0" }
    orders { first { who: "w1" step: "first" ends: true } then { who: "w0" step: "held up" } }
  )"),
                                        {}, {.seed = 1});
  EXPECT_THAT(result.acted, ElementsAre(1));
  EXPECT_EQ(result.elapsed, absl::Milliseconds(2500));
}

TEST(SimRunTest, ASeedIsARunAndItsChoicesAreTheSameRun) {
  const Scenario scenario = Parse(kKilledRank);
  const RunResult first = RunSimulated(scenario, {}, {.seed = 7});
  EXPECT_EQ(RunSimulated(scenario, {}, {.seed = 7}).fingerprint, first.fingerprint);
  EXPECT_NE(RunSimulated(scenario, {}, {.seed = 8}).fingerprint, first.fingerprint);
  const RunResult replayed = RunSimulated(scenario, {}, {.replay = first.choices});
  EXPECT_EQ(replayed.elapsed, first.elapsed);
  EXPECT_EQ(replayed.choices, first.choices);
}

TEST(SimRunTest, WritingARunDownDoesNotChangeIt) {
  const Scenario scenario = Parse(kKilledRank);
  RunRecorder recorder(SimWorldBegin());
  const RunResult recorded = RunSimulated(scenario, {}, {.seed = 7, .recorder = &recorder});
  EXPECT_EQ(recorded.fingerprint, RunSimulated(scenario, {}, {.seed = 7}).fingerprint);
  EXPECT_THAT(recorder.Finish(SimWorldBegin() + recorded.elapsed).steps, SizeIs(8));
}

TEST(SimRunTest, ABundleIsTheSameToTheByte) {
  const Scenario scenario = Parse(kKilledRank);
  const SeedFailure failure = {
      .seed = 3, .choices = RunSimulated(scenario, {}, {.seed = 3}).choices, .failures = {"as if"}};
  const Bundle first = MakeBundle(scenario, "killed_rank", kKilledRank, {}, failure);
  const Bundle second = MakeBundle(scenario, "killed_rank", kKilledRank, {}, failure);
  EXPECT_EQ(first.files, second.files);
  EXPECT_THAT(first.files.at("sequence.svg"), HasSubstr("<svg"));
}

TEST(SimRunTest, AFixtureIsAStep) {
  Fixtures fixtures;
  fixtures["leave a note"] = [](const FixtureContext& context) {
    context.store->Set("note", "from a fixture");
    return context.store->Get("note");
  };
  const RunnerReport report = RunSeeds(Parse(R"(
    about: "A step of the user's own."
    server {}
    workers { steps { join {} } steps { fixture: "leave a note" } }
    expects { who: "w0" step: "fixture" succeeds { value: "from a fixture" } }
  )"),
                                       fixtures, {});
  EXPECT_TRUE(report.passed()) << testing::PrintToString(report.failures[0].failures);
}

TEST(SimRunTest, AWorldThatGetsNowhereIsAFailureWithAPicture) {
  const RunnerReport stuck = RunSeeds(Parse(R"(
    about: "Two steps wait for each other's end."
    server {}
    workers { count: 2 steps { join {} } steps { name: "after" ping {} } }
    orders { first { who: "w0" step: "after" ends: true } then { who: "w1" step: "after" } }
    orders { first { who: "w1" step: "after" ends: true } then { who: "w0" step: "after" } }
  )"),
                                      {}, {});
  ASSERT_THAT(stuck.failures, SizeIs(1));
  EXPECT_THAT(stuck.failures[0].failures[0], HasSubstr("w0: waits for another's step"));
}

}  // namespace
}  // namespace rollcall::fault
