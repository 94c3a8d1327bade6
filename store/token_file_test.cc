#include "store/token_file.h"

#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace rollcall {
namespace {

using testing::HasSubstr;

constexpr char kSecret[] = "0123456789abcdef";

TEST(TokenFile, HasNamesAndTokensAndWhatIsToBeLeftOut) {
  const auto tokens = ParseTokens(
      "# of two jobs\n\njob-a:0123456789abcdef\r\n  "
      "job.b:fedcba:9876543210\nno_name_at_all_here\n");
  ASSERT_TRUE(tokens.ok()) << tokens.status();
  ASSERT_EQ(tokens->size(), 3u);
  EXPECT_EQ((*tokens)[0].name, "job-a");
  EXPECT_EQ((*tokens)[0].token, kSecret);
  EXPECT_EQ((*tokens)[1].token, "fedcba:9876543210");
  EXPECT_EQ((*tokens)[2].name, "default");
  EXPECT_EQ((*tokens)[2].token, "no_name_at_all_here");
}

TEST(TokenFile, OneNameMayHaveTwoTokens) {
  EXPECT_TRUE(ParseTokens("job:0123456789abcdef\njob:0123456789abcdeg").ok());
}

TEST(TokenFile, ErrorsNameTheLineAndNeverTheToken) {
  const auto why = [](std::string text) {
    const std::string message = ParseTokens(text).status().ToString();
    EXPECT_FALSE(absl::StrContains(message, "secret")) << message;
    return message;
  };
  EXPECT_THAT(why("# none\n"), HasSubstr("there is no token in it"));
  EXPECT_THAT(why("\njob:secret"), HasSubstr("line 2 of the tokens has a token of 6 bytes"));
  EXPECT_THAT(why("a job:secret_secret_secret"), HasSubstr("has a name that is not"));
  EXPECT_THAT(why("job:secret secret secret"), HasSubstr("no printable ASCII"));
  EXPECT_THAT(why("a:secret_secret_secret\nb:secret_secret_secret"), HasSubstr("is there already"));
  EXPECT_THAT(why("job:" + std::string(2000, 's')), HasSubstr("2000 bytes"));
}

TEST(TokenFile, AFileThatIsNotThereIsNamed) {
  EXPECT_THAT(ReadTokenFile("/nowhere/tokens").status().ToString(),
              HasSubstr("cannot read /nowhere/tokens: No such file"));
}

TEST(TokenFile, WipingLeavesNothing) {
  std::string secret = kSecret;
  Wipe(secret);
  EXPECT_EQ(secret, std::string(16, '\0'));
}

}  // namespace
}  // namespace rollcall
