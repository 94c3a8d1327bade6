// A judge that lets everything pass would make every scenario green.
#include "fault_injection/scenario/judge.h"

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "fault_injection/scenario/run_result.h"
#include "fault_injection/scenario/scenario_text.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace rollcall::fault {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class JudgeTest : public testing::Test {
 protected:
  void Given(absl::string_view expectations) {
    scenario_ = ParseScenario(std::string(R"(
      about: "One gets a key."
      server {}
      workers { steps { join {} } steps { get { key: "k" } } }
    )") + std::string(expectations),
                              "judged")
                    .value();
    result_.acted.assign(static_cast<size_t>(scenario_.faults_size()), 0);
  }
  StepOutcome& Get() {
    StepOutcome& get = result_.outcomes.emplace_back();
    get.set_who("w0");
    get.set_step("get");
    get.set_life(1);
    get.set_has_ended(true);
    return get;
  }
  void GetTimedOut(absl::Duration after) {
    StepOutcome& get = Get();
    get.set_code("WAIT_TIMEOUT");
    get.set_text("wait timeout, keys: k");
    get.add_missing_keys("k");
    get.set_ended_ns(absl::ToInt64Nanoseconds(after));
  }
  std::vector<std::string> Failures(absl::Duration patience = absl::ZeroDuration()) {
    return Judge(scenario_, result_, {.patience = patience}).failures;
  }

  Scenario scenario_;
  RunResult result_;
};

TEST_F(JudgeTest, WhatNobodySpeaksOfMustSucceed) {
  Given("");
  GetTimedOut(absl::Seconds(2));
  EXPECT_THAT(Failures(), ElementsAre(HasSubstr("should have succeeded")));
}

TEST_F(JudgeTest, AnExpectedErrorIsAsserted) {
  Given(R"(expects { who: "w0" step: "get"
                     fails { code: "WAIT_TIMEOUT" says: "keys: k" missing_keys: "k" }
                     takes: "2s" })");
  GetTimedOut(absl::Seconds(2));
  const Judgement judgement = Judge(scenario_, result_, {});
  EXPECT_THAT(judgement.failures, IsEmpty());
  EXPECT_THAT(judgement.asserted_codes, ElementsAre("WAIT_TIMEOUT"));
}

TEST_F(JudgeTest, ANanosecondTooLateIsTooLate) {
  Given(R"(expects { who: "w0" fails { code: "WAIT_TIMEOUT" } takes: "2s" })");
  GetTimedOut(absl::Seconds(2) + absl::Nanoseconds(1));
  EXPECT_THAT(Failures(), ElementsAre(HasSubstr("2s at most")));
  EXPECT_THAT(Failures(/*patience=*/absl::Milliseconds(100)), IsEmpty());
}

TEST_F(JudgeTest, ANanosecondTooEarlyIsTooEarlyForThePatientToo) {
  Given(R"(expects { who: "w0" fails { code: "WAIT_TIMEOUT" } takes: "2s" })");
  GetTimedOut(absl::Seconds(2) - absl::Nanoseconds(1));
  EXPECT_THAT(Failures(absl::Seconds(1)), ElementsAre(HasSubstr("2s or more")));
}

TEST_F(JudgeTest, AnotherErrorATextAndAKeyAreFailures) {
  Given(R"(expects { who: "w0" fails { code: "CONNECTION_LOST" } })");
  GetTimedOut(absl::Seconds(2));
  EXPECT_THAT(Failures(), ElementsAre(HasSubstr("should have failed with CONNECTION_LOST")));
  Given(R"(expects { who: "w0" fails { code: "WAIT_TIMEOUT" says: "j" missing_keys: "j" } })");
  EXPECT_THAT(Failures(), ElementsAre(HasSubstr("should say \"j\""),
                                      HasSubstr("should name the missing keys j")));
}

TEST_F(JudgeTest, AnotherValueIsAFailure) {
  Given(R"(expects { who: "w0" succeeds { value: "new" } })");
  StepOutcome& get = Get();
  get.set_ok(true);
  get.set_value("old");
  EXPECT_THAT(Failures(), ElementsAre(HasSubstr("should have given \"new\"")));
}

TEST_F(JudgeTest, WhatNeverHappenedCannotHaveBeenAsExpected) {
  Given(R"(expects { who: "w0" step: "get" fails { code: "WAIT_TIMEOUT" } })");
  EXPECT_THAT(Failures(), ElementsAre(HasSubstr("nothing happened that expectation 1")));
}

TEST_F(JudgeTest, AStepThatEndsWhereItsProcessShouldHaveDiedIsAFailure) {
  Given(R"(expects { who: "w0" never_ends {} })");
  Get().set_ok(true);
  EXPECT_THAT(Failures(), ElementsAre(HasSubstr("should never have ended")));
}

TEST_F(JudgeTest, ALongValueIsShownByItsBeginning) {
  EXPECT_EQ(ShownValue("a\x01"), "a\\x01");
  EXPECT_EQ(ShownValue(std::string(8'000'000, 'x')),
            absl::StrCat(std::string(80, 'x'), "... (8000000 bytes)"));
}

TEST_F(JudgeTest, AFaultThatNeverActedIsAFailureUnlessItMayMiss) {
  Given(R"(faults { call { host: "w0" call: "recv" nth: "99" fails: "EINTR" } })");
  EXPECT_THAT(Failures(), ElementsAre(HasSubstr("never acted")));
  Given(R"(faults { may_miss: true call { host: "w0" call: "recv" fails: "EINTR" } })");
  EXPECT_THAT(Failures(), IsEmpty());
}

TEST_F(JudgeTest, LeaksFailedRunsAndBadHistoriesAreFailures) {
  Given("linearizable: true");
  result_.ended = absl::FailedPreconditionError("the world is stuck");
  result_.leaks = {"server left 1 descriptors open"};
  Operation set{.client = 0, .kind = HistoryKind::kSet, .keys = {"k"}, .values = {"1"}};
  set.invoked = absl::FromUnixSeconds(1);
  set.returned = absl::FromUnixSeconds(2);
  Operation get{.client = 1, .kind = HistoryKind::kGet, .keys = {"k"}};
  get.results = {"2"};
  get.invoked = absl::FromUnixSeconds(3);
  get.returned = absl::FromUnixSeconds(4);
  result_.history = {set, get};
  EXPECT_THAT(Failures(), ElementsAre("the world is stuck", "server left 1 descriptors open",
                                      HasSubstr("not linearizable")));
}

}  // namespace
}  // namespace rollcall::fault
