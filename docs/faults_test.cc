#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "absl/strings/str_split.h"
#include "docs/fault_pages.h"
#include "glog/logging.h"
#include "gtest/gtest.h"

namespace rollcall {
namespace {

TEST(FaultPages, AreWhatTheCatalogueShows) {
  // What the faults make the product log is not of interest here.
  FLAGS_minloglevel = google::GLOG_ERROR;
  std::ifstream file("docs/faults.md");
  ASSERT_TRUE(file) << "docs/faults.md cannot be read";
  std::stringstream page;
  page << file.rdbuf();
  const std::vector<std::string> is = absl::StrSplit(page.str(), '\n');
  const std::vector<std::string> should_be = absl::StrSplit(
      RenderFaultPages(ReadCatalogue("docs/fault_rows.textproto", "fault_injection/scenarios")),
      '\n');
  // The first difference is enough to see; the whole page would fill a screen a hundred times.
  for (size_t line = 0; line < is.size() && line < should_be.size(); ++line) {
    ASSERT_EQ(is[line], should_be[line])
        << "docs/faults.md:" << line + 1 << "; rewrite it with: bazel run //docs:update_faults";
  }
  EXPECT_EQ(is.size(), should_be.size()) << "rewrite it with: bazel run //docs:update_faults";
}

}  // namespace
}  // namespace rollcall
