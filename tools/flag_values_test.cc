#include "tools/flag_values.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace rollcall::tools {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

TEST(EndpointFlag, TakesAHostAndAPort) {
  EXPECT_EQ(ParseEndpointFlag("endpoint", "node0:29500").value(), (net::Endpoint{"node0", 29500}));
  EXPECT_EQ(ParseEndpointFlag("endpoint", "[::1]:80").value(), (net::Endpoint{"::1", 80}));
}

TEST(EndpointFlag, SaysWhatIsWrongAndWhatToWrite) {
  for (const char* wrong : {"", "node0", ":29500", "node0:0", "node0:70000", "::1:80"}) {
    const auto endpoint = ParseEndpointFlag("endpoint", wrong);
    ASSERT_FALSE(endpoint.ok()) << wrong;
    EXPECT_THAT(std::string(endpoint.status().message()), HasSubstr("--endpoint")) << wrong;
  }
}

TEST(DurationFlag, TakesUnits) {
  EXPECT_EQ(ParseDurationFlag("timeout", "500ms").value(), absl::Milliseconds(500));
  EXPECT_EQ(ParseDurationFlag("timeout", "1m30s").value(), absl::Seconds(90));
  EXPECT_EQ(ParseDurationFlag("timeout", "0").value(), absl::ZeroDuration());
}

TEST(DurationFlag, RefusesWhatHasNoUnitOrIsNegative) {
  for (const char* wrong : {"5", "-1s", "soon", ""}) {
    const auto duration = ParseDurationFlag("timeout", wrong);
    ASSERT_FALSE(duration.ok()) << wrong;
    EXPECT_THAT(std::string(duration.status().message()),
                AllOf(HasSubstr("--timeout"), HasSubstr("500ms"), HasSubstr(wrong)));
  }
}

TEST(RanksFlag, TakesRanksAndRanges) {
  EXPECT_THAT(ParseRanksFlag("ranks", "5,0-2,1", 8).value(), ElementsAre(0, 1, 2, 5));
  EXPECT_THAT(ParseRanksFlag("ranks", "", 8).value(), IsEmpty());
  EXPECT_THAT(ParseRanksFlag("ranks", "0-0", 1).value(), ElementsAre(0));
}

TEST(RanksFlag, NamesTheRanksThereAre) {
  for (const char* wrong : {"8", "-1", "3-1", "a", "1-", "1-9", "2-b"}) {
    const auto ranks = ParseRanksFlag("absent_ranks", wrong, 8);
    ASSERT_FALSE(ranks.ok()) << wrong;
    EXPECT_THAT(std::string(ranks.status().message()),
                AllOf(HasSubstr("--absent_ranks"), HasSubstr("from 0 to 7"), HasSubstr(wrong)));
  }
}

}  // namespace
}  // namespace rollcall::tools
