#include "tools/json_log.h"

#include <string>
#include <vector>

#include "absl/strings/str_split.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"

namespace rollcall::tools {
namespace {

using nlohmann::json;

TEST(JsonLogLineTest, HasAllThatIsKnownOfALine) {
  EXPECT_EQ(JsonLogLine({.severity = google::GLOG_WARNING,
                         .file = "server_core.cc",
                         .line = 7,
                         .time = absl::FromUnixMicros(1'700'000'000'123'456),
                         .thread = 42,
                         .message = "closing"}),
            "{\"time\":\"2023-11-14T22:13:20.123456Z\",\"severity\":\"WARNING\","
            "\"message\":\"closing\",\"file\":\"server_core.cc\",\"line\":7,\"thread\":42}\n");
}

TEST(JsonLogLineTest, WhateverIsSaidStaysOneLineAndOneObject) {
  const std::string message = "quote \" backslash \\ newline \n tab \t escape \x1b high \xff end";
  const std::string line = JsonLogLine({.file = "f", .message = message});
  EXPECT_EQ(line.find('\n'), line.size() - 1);
  EXPECT_EQ(line.find('\x1b'), std::string::npos);
  const std::string read = json::parse(line)["message"];
  EXPECT_EQ(read.substr(0, message.find('\xff')), message.substr(0, message.find('\xff')));
}

class JsonLogTest : public testing::Test {
 protected:
  static void SetUpTestSuite() { google::InitGoogleLogging("json_log_test"); }
};

TEST_F(JsonLogTest, TakesEveryLineOfGlog) {
  testing::internal::CaptureStderr();
  {
    const JsonLog log;
    LOG(INFO) << "one\nline";
    LOG(ERROR) << "another";
    VLOG(1) << "not asked for";
  }
  const std::vector<std::string> lines =
      absl::StrSplit(testing::internal::GetCapturedStderr(), '\n', absl::SkipEmpty());
  ASSERT_EQ(lines.size(), 2u);
  EXPECT_EQ(json::parse(lines[0])["message"], "one\nline");
  EXPECT_EQ(json::parse(lines[0])["file"], "json_log_test.cc");
  EXPECT_EQ(json::parse(lines[1])["severity"], "ERROR");
}

TEST(JsonLogDeathTest, AFatalLineIsWrittenToo) {
  EXPECT_DEATH(
      {
        const JsonLog log;
        LOG(FATAL) << "the end";
      },
      "\"severity\":\"FATAL\",\"message\":\"the end\"");
}

}  // namespace
}  // namespace rollcall::tools
