#include "fault_injection/scenario/call_faults.h"

#include <errno.h>

#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "fault_injection/fault_point.h"
#include "fault_injection/scenario/scenario_text.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace rollcall::fault {
namespace {

using testing::ElementsAre;

class CallFaultsTest : public testing::Test {
 protected:
  void Given(absl::string_view faults) {
    scenario_ = ParseScenario(absl::StrCat(R"(about: "Two join."
                                              server {}
                                              workers { count: 2 steps { join {} } })",
                                           faults),
                              "calls")
                    .value();
  }
  // The errnos of the first `count` calls.
  std::vector<int> Errnos(CallFaults& faults, absl::string_view host, absl::string_view call,
                          uint64_t count) {
    std::vector<int> errnos;
    for (uint64_t i = 1; i <= count; ++i) {
      errnos.push_back(faults.OnCall({.host = host, .call = call, .occurrence = i}).errno_value);
    }
    return errnos;
  }
  static uint64_t DrawNothing(absl::string_view, uint64_t) { return 0; }

  Scenario scenario_;
};

TEST_F(CallFaultsTest, ActOnTheCallsThatAreMeant) {
  Given(R"(faults { call { host: "w0" call: "recv" nth: "2-3" fails: "EINTR" } })");
  CallFaults faults(scenario_, DrawNothing, nullptr);
  EXPECT_THAT(Errnos(faults, "w0", "recv", 4), ElementsAre(0, EINTR, EINTR, 0));
  EXPECT_THAT(Errnos(faults, "w1", "recv", 4), ElementsAre(0, 0, 0, 0));
  EXPECT_THAT(Errnos(faults, "w0", "send", 4), ElementsAre(0, 0, 0, 0));
}

TEST_F(CallFaultsTest, EndAfterSoManyTimesAndTellOfEach) {
  Given(R"(faults { call { host: "w*" call: "recv" times_max: 2 fails: "EINTR" } })");
  int acted = 0;
  CallFaults faults(scenario_, DrawNothing, [&](int, const CallSite&) { ++acted; });
  EXPECT_THAT(Errnos(faults, "w1", "recv", 3), ElementsAre(EINTR, EINTR, 0));
  EXPECT_EQ(acted, 2);
}

TEST_F(CallFaultsTest, DrawTheirPercentage) {
  Given(R"(faults { call { host: "w0" call: "recv" percent: 30 fails: "EINTR" } })");
  uint64_t drawn = 69;  // A replay without a word about it draws 0: nothing happens.
  CallFaults faults(
      scenario_, [&](absl::string_view, uint64_t) { return drawn++; }, nullptr);
  EXPECT_THAT(Errnos(faults, "w0", "recv", 2), ElementsAre(0, EINTR));
}

TEST_F(CallFaultsTest, WithATimeWaitUntilTheyAreEnabled) {
  Given(R"(faults { at: "1s" call { host: "w0" call: "recv" delayed: "5ms" } })");
  CallFaults faults(scenario_, DrawNothing, nullptr);
  const CallSite recv = {.host = "w0", .call = "recv", .occurrence = 1};
  EXPECT_EQ(faults.OnCall(recv).delay, absl::ZeroDuration());
  faults.Enable(0, true);
  EXPECT_EQ(faults.OnCall(recv).delay, absl::Milliseconds(5));
}

TEST(OrdinalsTest, AreOneARangeOrAllFromOneOn) {
  EXPECT_EQ(ParseOrdinals("3").value().last, 3);
  EXPECT_EQ(ParseOrdinals("2-4").value().last, 4);
  EXPECT_EQ(ParseOrdinals("3-").value().last, UINT64_MAX);
  EXPECT_EQ(ParseOrdinals("").value().first, 1);
  for (absl::string_view wrong : {"0", "4-2", "x", "-3", "1-2-3"}) {
    EXPECT_FALSE(ParseOrdinals(wrong).ok()) << wrong;
  }
}

}  // namespace
}  // namespace rollcall::fault
