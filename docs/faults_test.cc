#include <fstream>
#include <sstream>
#include <string>

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
  EXPECT_EQ(page.str(), RenderFaultPages(ReadCatalogue("docs/fault_rows.textproto",
                                                       "fault_injection/scenarios")))
      << "rewrite it with: bazel run //docs:update_faults";
}

}  // namespace
}  // namespace rollcall
