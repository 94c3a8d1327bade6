#include "fault_injection/scenario/host_set.h"

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace rollcall::fault {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

const std::vector<std::string>& Known() {
  static const auto& known =
      *new std::vector<std::string>{"server", "w0", "w1", "w2", "w10", "scanner"};
  return known;
}

std::string ProblemWith(absl::string_view text) {
  const absl::StatusOr<std::vector<std::string>> named = HostsNamed(text, Known());
  return named.ok() ? "" : std::string(named.status().message());
}

TEST(HostSetTest, NamesOneSeveralARangeOrAll) {
  EXPECT_THAT(HostsNamed("w1", Known()).value(), ElementsAre("w1"));
  EXPECT_THAT(HostsNamed("w2,server", Known()).value(), ElementsAre("server", "w2"));
  EXPECT_THAT(HostsNamed("w0-1", Known()).value(), ElementsAre("w0", "w1"));
  EXPECT_THAT(HostsNamed("w*", Known()).value(), ElementsAre("w0", "w1", "w2", "w10"));
}

TEST(HostSetTest, AStarStandsForNumbersOnly) { EXPECT_FALSE(NamesHost("s*", "scanner")); }

TEST(HostSetTest, ARangeThatIsNotAllThereIsAMistake) {
  EXPECT_THAT(ProblemWith("w0-3"), HasSubstr("there is no host \"w0-3\""));
}

TEST(HostSetTest, AnUnknownNameIsAMistakeWithTheNearestOne) {
  EXPECT_THAT(ProblemWith("w0,scaner"), HasSubstr("did you mean \"scanner\"?"));
  EXPECT_THAT(ProblemWith(""), HasSubstr("no host is named"));
}

}  // namespace
}  // namespace rollcall::fault
