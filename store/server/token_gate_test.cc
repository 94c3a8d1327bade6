#include "store/server/token_gate.h"

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "store/protocol/dialect.h"
#include "store/protocol/features.h"
#include "store/protocol/operation.h"
#include "store/protocol/request_writer.h"
#include "store/server/token_table.h"
#include "store/token_file.h"

namespace rollcall {
namespace {

using protocol::Dialect;
using testing::HasSubstr;
using Verdict = TokenGate::Verdict;

constexpr char kToken[] = "a token of job a";
constexpr char kOtherToken[] = "a token of job b";

std::shared_ptr<const TokenTable> Tokens() {
  return std::make_shared<const TokenTable>(std::vector<NamedToken>{
      {.name = "job-a", .token = kToken}, {.name = "job-b", .token = kOtherToken}});
}

std::string Greeting(uint32_t number = protocol::kAskFeatures) {
  std::string bytes;
  protocol::AppendValidate(bytes);
  EXPECT_TRUE(protocol::AppendPing(Dialect::kModern, number, bytes).ok());
  return bytes;
}

std::string ShowToken(absl::string_view token) {
  std::string bytes;
  EXPECT_TRUE(
      protocol::AppendCompareSet(Dialect::kModern, protocol::kTokenKey, "", token, bytes).ok());
  return bytes;
}

std::string Text(absl::string_view text) {
  return absl::StrCat(std::string(1, static_cast<char>(text.size())), std::string(7, '\0'), text);
}

// The answer to kAskFeatures: every feature, and that a token is wanted.
std::string Features() {
  const uint32_t number =
      protocol::kAskFeatures | protocol::kServerFeatures | protocol::kWantsToken;
  std::string bytes;
  for (int i = 0; i < 4; ++i) bytes.push_back(static_cast<char>(number >> (8 * i)));
  return bytes;
}

TEST(TokenGate, LetsInWhoShowsATokenWhereverTheBytesAreCut) {
  const std::string bytes = Greeting() + ShowToken(kOtherToken) + "behind it";
  for (size_t cut = 0; cut < bytes.size() - 9; ++cut) {
    TokenGate gate(Tokens());
    std::string out;
    ASSERT_EQ(gate.Take(absl::string_view(bytes).substr(0, cut), out), Verdict::kMore) << cut;
    ASSERT_EQ(gate.Take(absl::string_view(bytes).substr(cut), out), Verdict::kAdmitted) << cut;
    EXPECT_EQ(*gate.name(), "job-b");
    EXPECT_EQ(out, Features() + Text("accepted"));
    EXPECT_EQ(gate.unread(), "behind it");
  }
}

TEST(TokenGate, KeepsTheRankThatAGreetingTold) {
  TokenGate gate(Tokens());
  std::string out;
  const std::string bytes = Greeting(protocol::AskFeaturesAs(7)) + ShowToken(kOtherToken);
  EXPECT_EQ(gate.Take(bytes, out), Verdict::kAdmitted);
  EXPECT_EQ(gate.told_rank(), 7);
  EXPECT_EQ(out, Features() + Text("accepted"));
}

TEST(TokenGate, TellsWhoShowsAnotherTokenThatItIsNone) {
  TokenGate gate(Tokens());
  std::string out;
  EXPECT_EQ(gate.Take(Greeting() + ShowToken("a token of job c"), out), Verdict::kRefused);
  EXPECT_EQ(out, Features() + Text("it is none of those that this server knows"));
  EXPECT_THAT(gate.reason(), Not(HasSubstr("job c")));
}

TEST(TokenGate, RefusesWhoShowsNone) {
  const auto why = [](absl::string_view bytes) {
    TokenGate gate(Tokens());
    std::string out;
    EXPECT_EQ(gate.Take(bytes, out), Verdict::kRefused) << bytes;
    return gate.reason();
  };
  std::string get;
  ASSERT_TRUE(
      protocol::AppendKeyRequest(Dialect::kModern, protocol::Operation::kGet, "/k", get).ok());
  EXPECT_THAT(why(Greeting(4711)), HasSubstr("it greets as torch's clients do"));
  EXPECT_THAT(why(Greeting() + get), HasSubstr("its first request is get"));
  EXPECT_THAT(why("\x03"), HasSubstr("no client of torch before 2.2"));
  EXPECT_THAT(why("GET / HTTP/1.1\r\n"), HasSubstr("it looks like an HTTP request"));
}

TEST(TokenGate, AStrangerCostsLittle) {
  TokenGate gate(Tokens());
  std::string out;
  EXPECT_EQ(gate.Take(Greeting() + ShowToken(std::string(kTokenBytesMax + 1, 'x')), out),
            Verdict::kRefused);
  EXPECT_THAT(gate.reason(), HasSubstr("limit is 1024"));
}

}  // namespace
}  // namespace rollcall
