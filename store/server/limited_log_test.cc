#include "store/server/limited_log.h"

#include <optional>
#include <string>
#include <vector>

#include "gtest/gtest.h"

namespace rollcall {
namespace {

class LimitedLogTest : public testing::Test {
 protected:
  LimitedLogTest() {
    log_.emplace([this](absl::string_view line) { lines_.emplace_back(line); });
  }

  void Write(int times) {
    for (int i = 0; i < times; ++i) {
      log_->Write(now_, [this] {
        ++made_;
        return "line";
      });
    }
  }

  absl::Time now_ = absl::UnixEpoch();
  std::vector<std::string> lines_;
  int made_ = 0;
  std::optional<LimitedLog> log_;
};

TEST_F(LimitedLogTest, LinesBeyondTheLimitAreCountedAndNotEvenMade) {
  Write(LimitedLog::kLinesMax + 7);
  EXPECT_EQ(lines_.size(), size_t{LimitedLog::kLinesMax});
  EXPECT_EQ(made_, LimitedLog::kLinesMax);
  now_ += LimitedLog::kInterval;
  Write(2);
  ASSERT_EQ(lines_.size(), size_t{LimitedLog::kLinesMax} + 2);
  EXPECT_EQ(lines_[LimitedLog::kLinesMax], "line (before it 7 lines were left out)");
  EXPECT_EQ(lines_.back(), "line");
}

TEST_F(LimitedLogTest, TheEndTellsOfWhatWasLeftOut) {
  Write(LimitedLog::kLinesMax + 3);
  log_.reset();
  EXPECT_EQ(lines_.back(), "3 more lines like the last were left out");
}

TEST_F(LimitedLogTest, WithNothingLeftOutTheEndIsQuiet) {
  Write(1);
  log_.reset();
  EXPECT_EQ(lines_, std::vector<std::string>{"line"});
}

}  // namespace
}  // namespace rollcall
