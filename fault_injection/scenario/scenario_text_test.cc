// What a scenario's author is told who has mistyped something.
#include "fault_injection/scenario/scenario_text.h"

#include <string>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace rollcall::fault {
namespace {

using testing::AllOf;
using testing::HasSubstr;

constexpr char kTwoWorkers[] = R"(
  about: "Two meet."
  server {}
  workers { count: 2 steps { join {} } steps { barrier { name: "b" } } }
)";

// What is wrong with the two workers' scenario when `more` is added.
std::string ProblemsWith(absl::string_view more) {
  const absl::StatusOr<Scenario> parsed =
      ParseScenario(absl::StrCat(kTwoWorkers, more), "two.textproto");
  EXPECT_EQ(parsed.status().code(), absl::StatusCode::kInvalidArgument);
  return std::string(parsed.status().message());
}

TEST(ScenarioTextTest, TakesAGoodOne) {
  EXPECT_EQ(ParseScenario(kTwoWorkers, "two.textproto").status(), absl::OkStatus());
}

TEST(ScenarioTextTest, AnUnknownFieldIsNamedWithItsPlaceAndTheNearestKnownOne) {
  EXPECT_THAT(ProblemsWith("faults { pauze: \"w0\" }"),
              AllOf(HasSubstr("two.textproto:5:"), HasSubstr("Did you mean \"pause\"?")));
}

TEST(ScenarioTextTest, AnUnknownHostIsNamed) {
  EXPECT_THAT(ProblemsWith("faults { at: \"1s\" kill: \"severr\" }"),
              AllOf(HasSubstr("fault 1 (kill)"), HasSubstr("did you mean \"server\"?")));
  EXPECT_THAT(ProblemsWith("faults { at: \"1s\" kill: \"w0-2\" }"),
              HasSubstr("there is no host \"w0-2\""));
}

TEST(ScenarioTextTest, AnUnknownStepIsNamed) {
  EXPECT_THAT(ProblemsWith("expects { who: \"w*\" step: \"barier\" succeeds {} }"),
              HasSubstr("did you mean \"barrier\"?"));
}

TEST(ScenarioTextTest, AnUnknownCallOrErrorIsNamedWithWhatThereIs) {
  EXPECT_THAT(ProblemsWith("faults { call { host: \"w0\" call: \"acept4\" fails: \"EMFILE\" } }"),
              HasSubstr("did you mean \"accept4\"?"));
  EXPECT_THAT(ProblemsWith("faults { call { host: \"w0\" call: \"listen\" fails: \"EPIPE\" } }"),
              HasSubstr("listen never fails with EPIPE; it may with EADDRINUSE, ENOBUFS"));
}

TEST(ScenarioTextTest, AnUnknownErrorCodeIsNamed) {
  EXPECT_THAT(ProblemsWith("expects { who: \"w0\" fails { code: \"WAIT_TIMEOTU\" } }"),
              HasSubstr("did you mean \"WAIT_TIMEOUT\"?"));
}

TEST(ScenarioTextTest, ADurationThatIsNoneIsNamed) {
  EXPECT_THAT(ProblemsWith("faults { at: \"soon\" kill: \"w0\" }"), HasSubstr("`at` is \"soon\""));
}

TEST(ScenarioTextTest, AFaultThatWouldNeverBeginIsNone) {
  EXPECT_THAT(ProblemsWith("faults { kill: \"w0\" }"),
              HasSubstr("neither `at` nor `when` is given"));
}

TEST(ScenarioTextTest, AllThatIsWrongIsSaidAtOnce) {
  EXPECT_THAT(ProblemsWith("faults { kill: \"w7\" } expects { who: \"w8\" succeeds {} }"),
              AllOf(HasSubstr("\"w7\""), HasSubstr("\"w8\"")));
}

}  // namespace
}  // namespace rollcall::fault
