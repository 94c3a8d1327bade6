// What the guide to scenarios shows is what there is.
#include <fstream>
#include <iterator>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "docs/scenario_picture.h"
#include "glog/logging.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace rollcall {
namespace {

constexpr char kScenario[] = "examples/downstream/lost_rank.textproto";

std::string Read(const std::string& path) {
  std::ifstream file(path);
  EXPECT_TRUE(file) << path << " cannot be read";
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

TEST(ScenarioGuide, ShowsThePictureOfItsScenario) {
  // What the faults make the product log is not of interest here.
  FLAGS_minloglevel = google::GLOG_ERROR;
  EXPECT_EQ(Read("docs/lost_rank.svg"), DrawScenario(kScenario))
      << "rewrite it with: bazel run //docs:update_pictures";
}

TEST(ScenarioGuide, ShowsTheScenarioOfTheExample) {
  // In the guide it stands within a list.
  std::string shown;
  for (const absl::string_view line : absl::StrSplit(Read(kScenario), '\n')) {
    absl::StrAppend(&shown, line.empty() ? "" : "   ", line, "\n");
  }
  EXPECT_THAT(
      Read("docs/scenarios.md"),
      testing::HasSubstr(absl::StrCat("```\n", shown.substr(0, shown.size() - 1), "   ```\n")));
}

}  // namespace
}  // namespace rollcall
