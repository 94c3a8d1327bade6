#include "store/protocol/request_parser.h"

#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "store/protocol/wire_text.h"

namespace rollcall::protocol {
namespace {

class RequestParserScenario : public testing::Test {
 protected:
  void Feed(absl::string_view bytes) {
    parser_.Feed(bytes);
    while (const Request* request = parser_.Next()) {
      absl::StrAppend(&heard_, heard_.empty() ? "" : "; ", RequestLine(*request));
    }
  }

  // What came out since the last call.
  std::string Heard() { return std::exchange(heard_, ""); }
  bool Broken() const { return !parser_.status().ok(); }
  std::string Why() const { return std::string(parser_.status().message()); }

  ParserOptions options_;
  RequestParser parser_{&options_};
  std::string heard_;
};

TEST_F(RequestParserScenario, ModernGreetingIsConsumedAndTheRequestsComeOut) {
  Feed(Greeting(Dialect::kModern));
  EXPECT_EQ(parser_.dialect(), Dialect::kModern);
  EXPECT_EQ(Heard(), "");
  Feed(RequestBytes(Dialect::kModern, "ping 31097") +
       RequestBytes(Dialect::kModern, R"(add "init/" 1)"));
  EXPECT_EQ(Heard(), R"(ping 31097; add "init/" 1)");
}

TEST_F(RequestParserScenario, GreetingMayComeInAnyPieces) {
  for (char byte : Greeting(Dialect::kModern)) {
    EXPECT_EQ(parser_.dialect(), std::nullopt);
    Feed(std::string(1, byte));
  }
  EXPECT_EQ(parser_.dialect(), Dialect::kModern);
}

TEST_F(RequestParserScenario, LegacyClientIsServedAfterOneByte) {
  Feed(std::string(1, '\x06'));
  EXPECT_EQ(parser_.dialect(), Dialect::kLegacy);
  EXPECT_EQ(Heard(), "num_keys");
}

TEST_F(RequestParserScenario, LegacySetIsToldFromTheGreetingByItsLength) {
  Feed(Unhex("00 02 00 00"));
  EXPECT_EQ(parser_.dialect(), std::nullopt);
  EXPECT_TRUE(parser_.mid_request());
  Feed(Unhex("00"));
  EXPECT_EQ(parser_.dialect(), Dialect::kLegacy);
  Feed(Unhex("00 00 00 00 2F 6B 01 00 00 00 00 00 00 00 76"));
  EXPECT_EQ(Heard(), R"(set "/k" "v")");
}

TEST_F(RequestParserScenario, LegacyTableIsTheOneAskedFor) {
  options_.legacy_dialect = Dialect::kTorch21;
  Feed(RequestBytes(Dialect::kTorch21, R"(delete_key "/k")"));
  EXPECT_EQ(parser_.dialect(), Dialect::kTorch21);
  EXPECT_EQ(Heard(), R"(delete_key "/k")");
}

TEST_F(RequestParserScenario, WrongMagicBreaksAtItsLastByte) {
  Feed(Unhex("00 CE F7 85"));
  EXPECT_FALSE(Broken());
  Feed(Unhex("3D"));
  EXPECT_TRUE(Broken());
  EXPECT_TRUE(absl::IsDataLoss(parser_.status()));
  EXPECT_EQ(
      Why(),
      "opened with \"\\x00\\xce\\xf7\\x85=\", which is neither VALIDATE nor a legacy set: its "
      "key would have 1032189902 bytes or more; limit is 8192");
  EXPECT_FALSE(parser_.mid_request());
  EXPECT_EQ(parser_.dialect(), std::nullopt);
}

TEST_F(RequestParserScenario, StrictParserRefusesLegacyAtTheFirstByte) {
  options_.accept_legacy = false;
  Feed(std::string(1, '\x06'));
  EXPECT_TRUE(Broken());
  EXPECT_EQ(Heard(), "");
  EXPECT_TRUE(absl::StrContains(Why(), "legacy clients are not accepted")) << Why();
}

TEST_F(RequestParserScenario, StrictParserRefusesTheWrongMagic) {
  options_.accept_legacy = false;
  Feed(RequestBytes(Dialect::kLegacy, R"(set "/k" "v")"));
  EXPECT_TRUE(Broken());
  EXPECT_EQ(Heard(), "");
}

TEST_F(RequestParserScenario, StrictParserServesModernClients) {
  options_.accept_legacy = false;
  Feed(Greeting(Dialect::kModern) + RequestBytes(Dialect::kModern, "num_keys"));
  EXPECT_EQ(Heard(), "num_keys");
}

TEST_F(RequestParserScenario, SecondValidateBreaks) {
  Feed(Greeting(Dialect::kModern) + RequestBytes(Dialect::kModern, "num_keys") +
       Greeting(Dialect::kModern));
  EXPECT_EQ(Heard(), "num_keys");
  EXPECT_TRUE(Broken());
  EXPECT_EQ(Why(), "a second VALIDATE: only a connection's first bytes may be one");
}

TEST_F(RequestParserScenario, StrangersAreCalledByTheirName) {
  Feed("GET /health HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_TRUE(Broken());
  EXPECT_EQ(Why(),
            "opened with \"GET /health HTTP\", which is no store client: it looks like an HTTP "
            "request");
}

TEST_F(RequestParserScenario, OtherStrangersAreShownAsTheyAre) {
  Feed(Unhex("FF FE 01"));
  EXPECT_EQ(Why(),
            "opened with \"\\xff\\xfe\\x01\", which is neither VALIDATE nor a legacy request");
}

TEST_F(RequestParserScenario, UnknownOpcodeBreaksAfterTheRequestsBeforeIt) {
  Feed(Greeting(Dialect::kModern) + RequestBytes(Dialect::kModern, "list_keys") + "\x13");
  EXPECT_EQ(Heard(), "list_keys");
  EXPECT_EQ(Why(), "opcode 19 is not one of the modern dialect");
}

TEST_F(RequestParserScenario, BrokenParserStaysBroken) {
  Feed("?");
  const std::string why = Why();
  Feed(Greeting(Dialect::kModern) + RequestBytes(Dialect::kModern, "list_keys"));
  EXPECT_EQ(Heard(), "");
  EXPECT_EQ(Why(), why);
}

TEST_F(RequestParserScenario, MidRequestTellsHalfSaidFromSilent) {
  EXPECT_FALSE(parser_.mid_request());
  const std::string greeting = Greeting(Dialect::kModern);
  Feed(greeting.substr(0, 1));
  EXPECT_TRUE(parser_.mid_request());
  Feed(greeting.substr(1));
  EXPECT_FALSE(parser_.mid_request());
  const std::string set = RequestBytes(Dialect::kModern, R"(set "/k" "v")");
  for (size_t i = 0; i < set.size(); ++i) {
    EXPECT_EQ(parser_.mid_request(), i > 0) << "byte " << i;
    Feed(set.substr(i, 1));
  }
  EXPECT_FALSE(parser_.mid_request());
}

TEST_F(RequestParserScenario, PipelinedRequestsComeOutInOrderAndMayBeMovedFrom) {
  std::string bytes = Greeting(Dialect::kModern);
  for (int i = 0; i < 16; ++i) {
    bytes += RequestBytes(Dialect::kModern, absl::StrCat("set \"/a key that is long enough to be "
                                                         "allocated ",
                                                         i, "\" \"value ", i, "\""));
  }
  parser_.Feed(bytes);
  for (int i = 0; i < 16; ++i) {
    Request* request = parser_.Next();
    ASSERT_NE(request, nullptr);
    const std::string key = std::move(request->keys[0]);
    const std::string value = std::move(request->values[0]);
    EXPECT_EQ(key, absl::StrCat("/a key that is long enough to be allocated ", i));
    EXPECT_EQ(value, absl::StrCat("value ", i));
  }
  EXPECT_EQ(parser_.Next(), nullptr);
  EXPECT_EQ(parser_.unread(), "");
}

TEST_F(RequestParserScenario, NothingOfOneRequestIsLeftInTheNext) {
  Feed(Greeting(Dialect::kModern) +
       RequestBytes(Dialect::kModern, R"(multi_set "/first" "1" "/second" "2" "/third" "3")") +
       RequestBytes(Dialect::kModern, R"(check "/a" "/b")") +
       RequestBytes(Dialect::kModern, R"(compare_set "/c" "" "d")") +
       RequestBytes(Dialect::kModern, R"(multi_set "" "" "" "x")") +
       RequestBytes(Dialect::kModern, R"(wait)") + RequestBytes(Dialect::kModern, R"(add "" 3)") +
       RequestBytes(Dialect::kModern, R"(get "")"));
  EXPECT_EQ(Heard(), R"(multi_set "/first" "1" "/second" "2" "/third" "3"; check "/a" "/b"; )"
                     R"(compare_set "/c" "" "d"; multi_set "" "" "" "x"; wait; add "" 3; get "")");
  EXPECT_FALSE(Broken());
}

TEST_F(RequestParserScenario, ResetForgetsHalfARequestAndBeginsAnew) {
  Feed(Greeting(Dialect::kModern) + RequestBytes(Dialect::kModern, R"(add "/n" -7)").substr(0, 13));
  parser_.Reset(Dialect::kLegacy);
  EXPECT_EQ(parser_.dialect(), Dialect::kLegacy);
  EXPECT_FALSE(parser_.mid_request());
  Feed(RequestBytes(Dialect::kLegacy, R"(watch_key "/w")"));
  EXPECT_EQ(Heard(), R"(watch_key "/w")");
  Feed("?");
  EXPECT_TRUE(Broken());
  parser_.Reset(std::nullopt);
  EXPECT_FALSE(Broken());
  EXPECT_EQ(parser_.dialect(), std::nullopt);
  Feed(Greeting(Dialect::kModern) + RequestBytes(Dialect::kModern, "list_keys"));
  EXPECT_EQ(Heard(), "list_keys");
}

TEST_F(RequestParserScenario, UnreadBytesBeginAfterTheLastRequest) {
  const std::string bytes = RequestBytes(Dialect::kLegacy, "num_keys") + "\x05later";
  parser_.Feed(bytes);
  ASSERT_NE(parser_.Next(), nullptr);
  EXPECT_EQ(parser_.unread(), "\x05later");
}

TEST_F(RequestParserScenario, AnIdleParserIsSmallAndLetsGoOfWhatWasBig) {
  EXPECT_LE(sizeof(RequestParser), 152u);
  const std::string big(1 << 20, 'v');
  std::string bytes = Greeting(Dialect::kModern);
  ASSERT_TRUE(
      AppendRequestLine(Dialect::kModern, absl::StrCat("set \"/k\" \"", big, "\""), bytes).ok());
  parser_.Feed(bytes);
  Request* request = parser_.Next();
  ASSERT_NE(request, nullptr);
  EXPECT_EQ(request->values[0], big);
  EXPECT_EQ(parser_.Next(), nullptr);
  for (const std::string& value : request->values) EXPECT_LT(value.capacity(), 8u << 10);
}

}  // namespace
}  // namespace rollcall::protocol
