// Every limit, met and passed by one; and what a peer that claims much and sends little can cost.

#include <cstdint>
#include <string>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "store/protocol/request_parser.h"
#include "store/protocol/wire.h"
#include "store/protocol/wire_text.h"

namespace rollcall::protocol {
namespace {

class RequestLimits : public testing::Test {
 protected:
  RequestLimits() {
    options_.limits = {.key_bytes_max = 8,
                       .value_bytes_max = 16,
                       .keys_per_request_max = 3,
                       .request_bytes_max = 40};
  }

  // "ok", or why not.
  std::string Verdict(absl::string_view bytes) {
    RequestParser parser(&options_);
    const std::string all = absl::StrCat(Greeting(Dialect::kModern), bytes);
    parser.Feed(all);
    const bool whole = parser.Next() != nullptr;
    if (!parser.status().ok()) return std::string(parser.status().message());
    return whole ? "ok" : "more";
  }

  std::string VerdictOfLine(absl::string_view line) {
    return Verdict(RequestBytes(Dialect::kModern, line));
  }

  std::string Opcode(Operation operation) {
    return std::string(1, static_cast<char>(*OpcodeOf(Dialect::kModern, operation)));
  }

  static std::string Word(uint64_t value) {
    std::string word;
    wire::Put(value, word);
    return word;
  }

  ParserOptions options_;
};

TEST_F(RequestLimits, Key) {
  EXPECT_EQ(VerdictOfLine(R"(get "12345678")"), "ok");
  EXPECT_EQ(VerdictOfLine(R"(get "123456789")"), "get: key of 9 bytes; limit is 8");
  EXPECT_EQ(VerdictOfLine(R"(check "1" "123456789")"), "check: key of 9 bytes; limit is 8");
}

TEST_F(RequestLimits, Value) {
  EXPECT_EQ(VerdictOfLine(R"(set "k" "1234567890123456")"), "ok");
  EXPECT_EQ(VerdictOfLine(R"(set "k" "12345678901234567")"), "set: value of 17 bytes; limit is 16");
  EXPECT_EQ(VerdictOfLine(R"(compare_set "k" "12345678901234567" "")"),
            "compare_set: value of 17 bytes; limit is 16");
  EXPECT_EQ(VerdictOfLine(R"(compare_set "k" "" "12345678901234567")"),
            "compare_set: value of 17 bytes; limit is 16");
  EXPECT_EQ(VerdictOfLine(R"(multi_set "k" "" "l" "12345678901234567")"),
            "multi_set: value of 17 bytes; limit is 16");
}

TEST_F(RequestLimits, Keys) {
  EXPECT_EQ(VerdictOfLine(R"(wait "1" "2" "3")"), "ok");
  EXPECT_EQ(VerdictOfLine(R"(wait "1" "2" "3" "4")"), "wait of 4 keys; limit is 3");
  EXPECT_EQ(VerdictOfLine(R"(multi_get "1" "2" "3" "4")"), "multi_get of 4 keys; limit is 3");
  EXPECT_EQ(VerdictOfLine(R"(multi_set "1" "" "2" "" "3" "")"), "ok");
  EXPECT_EQ(VerdictOfLine(R"(multi_set "1" "" "2" "" "3" "" "4" "")"),
            "multi_set of 4 keys; limit is 3");
}

TEST_F(RequestLimits, NegativeAndAbsurdCountsBreakBeforeAnyKey) {
  EXPECT_EQ(Verdict(Opcode(Operation::kMultiSet) + Word(uint64_t{0} - 1)),
            "multi_set of -1 keys; limit is 3");
  EXPECT_EQ(Verdict(Opcode(Operation::kCheck) + Word(uint64_t{1} << 63)),
            "check of -9223372036854775808 keys; limit is 3");
  EXPECT_EQ(Verdict(Opcode(Operation::kWait) + Word(uint64_t{1} << 32)),
            "wait of 4294967296 keys; limit is 3");
}

TEST_F(RequestLimits, AllKeysAndValuesOfARequest) {
  EXPECT_EQ(VerdictOfLine(R"(multi_set "1234" "1234567890123456" "1234" "1234567890123456")"),
            "ok");
  EXPECT_EQ(VerdictOfLine(R"(multi_set "12345" "1234567890123456" "1234" "1234567890123456")"),
            "multi_set: value of 16 bytes after 25 in the same request; limit of a request is 40");
}

TEST_F(RequestLimits, TheLengthAloneBreaks) {
  EXPECT_EQ(Verdict(Opcode(Operation::kGet) + Word(~uint64_t{0})),
            "get: key of 18446744073709551615 bytes; limit is 8");
  EXPECT_EQ(Verdict(Opcode(Operation::kGet) + Word(9)), "get: key of 9 bytes; limit is 8");
}

TEST_F(RequestLimits, HugeLimitsDoNotOverflow) {
  options_.limits.key_bytes_max = ~uint64_t{0};
  options_.limits.value_bytes_max = ~uint64_t{0};
  options_.limits.keys_per_request_max = ~uint64_t{0};
  EXPECT_EQ(
      Verdict(Opcode(Operation::kMultiSet) + Word(2) + Word(1) + "k" + Word(~uint64_t{0})),
      "multi_set: value of 18446744073709551615 bytes after 1 in the same request; limit of a "
      "request is 40");
}

TEST_F(RequestLimits, AnEmptyTextIsWithinEveryLimit) {
  options_.limits = {0, 0, 1, 0};
  EXPECT_EQ(VerdictOfLine(R"(set "" "")"), "ok");
  EXPECT_EQ(VerdictOfLine(R"(wait "")"), "ok");
  EXPECT_EQ(VerdictOfLine(R"(get "k")"), "get: key of 1 bytes; limit is 0");
}

TEST_F(RequestLimits, TheDefaultsAreThoseOfTorch) {
  options_.limits = Limits();
  EXPECT_EQ(Verdict(Opcode(Operation::kGet) + Word(8192)), "more");
  EXPECT_EQ(Verdict(Opcode(Operation::kGet) + Word(8193)), "get: key of 8193 bytes; limit is 8192");
  EXPECT_EQ(Verdict(Opcode(Operation::kSet) + Word(0) + Word(8 << 20)), "more");
  EXPECT_EQ(Verdict(Opcode(Operation::kSet) + Word(0) + Word((8 << 20) + 1)),
            "set: value of 8388609 bytes; limit is 8388608");
  EXPECT_EQ(Verdict(Opcode(Operation::kWait) + Word(131072)), "more");
  EXPECT_EQ(Verdict(Opcode(Operation::kWait) + Word(131073)),
            "wait of 131073 keys; limit is 131072");
}

}  // namespace
}  // namespace rollcall::protocol
