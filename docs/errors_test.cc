#include <fstream>
#include <sstream>
#include <string>

#include "docs/error_page.h"
#include "gtest/gtest.h"

namespace rollcall {
namespace {

TEST(ErrorPage, IsWhatTheTableSays) {
  std::ifstream file("docs/errors.md");
  ASSERT_TRUE(file) << "docs/errors.md cannot be read";
  std::stringstream page;
  page << file.rdbuf();
  EXPECT_EQ(page.str(), RenderErrorPage()) << "rewrite it with: bazel run //docs:update_errors";
}

}  // namespace
}  // namespace rollcall
