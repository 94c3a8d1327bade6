// FORMAT.md says what the code does: its tables are the code's tables, its bytes are what the
// writers write and the parsers read.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <fstream>
#include <optional>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "gtest/gtest.h"
#include "store/protocol/dialect.h"
#include "store/protocol/limits.h"
#include "store/protocol/operation.h"
#include "store/protocol/reply_parser.h"
#include "store/protocol/reply_shape.h"
#include "store/protocol/request_parser.h"
#include "store/protocol/wire_text.h"

namespace rollcall::protocol {
namespace {

std::vector<std::string> LinesOfFormat() {
  std::ifstream file("store/protocol/FORMAT.md");
  std::stringstream text;
  text << file.rdbuf();
  return absl::StrSplit(text.str(), '\n');
}

// The body of the table whose first row is `heading`, row by row as "a | b | c".
std::vector<std::string> Table(absl::string_view heading) {
  std::vector<std::string> rows;
  bool inside = false;
  for (const std::string& line : LinesOfFormat()) {
    if (line == absl::StrCat("| ", heading, " |")) {
      inside = true;
    } else if (inside && !absl::StartsWith(line, "|")) {
      break;
    } else if (inside && !absl::StartsWith(line, "|---")) {
      rows.emplace_back(absl::StripSuffix(absl::StripPrefix(line, "| "), " |"));
    }
  }
  return rows;
}

// One example: a line that begins with '>', '<' or '!', and the bytes below it.
struct Example {
  std::string dialect;  // Or "refused".
  char direction;
  std::string line;
  std::string bytes;
};

std::vector<Example> Examples() {
  std::vector<Example> examples;
  std::string block;
  for (const std::string& line : LinesOfFormat()) {
    if (absl::StartsWith(line, "```")) {
      block = absl::StartsWith(line, "```hex ") ? line.substr(7) : "";
    } else if (!block.empty() && !absl::StartsWith(line, " ")) {
      examples.push_back({block, line[0], line.substr(2), ""});
    } else if (!block.empty()) {
      const std::string bytes = Unhex(absl::StripAsciiWhitespace(line));
      EXPECT_NE(bytes, "") << "not hex: " << line;
      examples.back().bytes += bytes;
    }
  }
  return examples;
}

ParserOptions OptionsFor(Dialect dialect) {
  ParserOptions options;
  if (dialect != Dialect::kModern) options.legacy_dialect = dialect;
  return options;
}

void CheckRequest(const Example& example) {
  const std::optional<Dialect> dialect = ParseDialect(example.dialect);
  ASSERT_TRUE(dialect.has_value()) << example.dialect;
  EXPECT_EQ(Hex(RequestBytes(*dialect, example.line)), Hex(example.bytes)) << example.line;
  if (example.line == "validate") {
    EXPECT_EQ(HearPieces(OptionsFor(*dialect), {example.bytes}), Heard());
    return;
  }
  const std::string bytes = Greeting(*dialect) + example.bytes;
  EXPECT_EQ(HearPieces(OptionsFor(*dialect), {bytes}), (Heard{{example.line}, false}));
}

void CheckReply(const Example& example) {
  std::string written;
  ASSERT_TRUE(AppendReplyLine(example.line, written).ok()) << example.line;
  EXPECT_EQ(Hex(written), Hex(example.bytes)) << example.line;
  const std::string name = example.line.substr(0, example.line.find(' '));
  for (const ReplyShape& shape : kReplyShapes) {
    if (ReplyKindName(shape.kind) != name) continue;
    // No text of an example has a quote in it.
    const size_t texts = std::count(example.line.begin(), example.line.end(), '"') / 2;
    ReplyParser parser(shape.kind, texts);
    ASSERT_EQ(*parser.Consume(example.bytes), example.bytes.size()) << example.line;
    ASSERT_TRUE(parser.done()) << example.line;
    EXPECT_EQ(ReplyLine(shape.kind, parser.Take()), example.line);
    return;
  }
  FAIL() << "no such reply: " << example.line;
}

void CheckRefusal(const Example& example) {
  const ParserOptions options;
  RequestParser parser(&options);
  parser.Feed(example.bytes);
  while (parser.Next() != nullptr) {
  }
  EXPECT_EQ(std::string(parser.status().message()), example.line);
}

TEST(FormatMd, EveryExampleIsWhatTheCodeWritesAndReads) {
  for (const Example& example : Examples()) {
    if (example.direction == '>') {
      CheckRequest(example);
    } else if (example.direction == '<') {
      CheckReply(example);
    } else {
      ASSERT_EQ(example.direction, '!') << example.line;
      CheckRefusal(example);
    }
  }
}

TEST(FormatMd, EveryOperationHasAnExample) {
  std::set<std::string> shown;
  for (const Example& example : Examples()) {
    if (example.direction == '>') shown.insert(example.line.substr(0, example.line.find(' ')));
  }
  for (const OperationRow& row : kOperations) {
    EXPECT_TRUE(shown.count(std::string(row.name))) << row.name;
  }
}

TEST(FormatMd, OpcodesAreThoseOfTheCode) {
  std::vector<std::string> names = {"operation"};
  for (Dialect dialect : kDialects) names.emplace_back(DialectName(dialect));
  std::vector<std::string> expected;
  for (const OperationRow& row : kOperations) {
    std::string line(row.name);
    for (Dialect dialect : kDialects) {
      const std::optional<uint8_t> opcode = OpcodeOf(dialect, row.operation);
      absl::StrAppend(&line, " | ", opcode.has_value() ? absl::StrCat(*opcode) : "-");
    }
    expected.push_back(line);
  }
  EXPECT_EQ(Table(absl::StrJoin(names, " | ")), expected);
}

std::string OperandsOf(const OperationRow& row) {
  std::string operands = row.keys == KeyFields::kNone ? "" : "key";
  for (int i = 0; i < row.values_per_key; ++i) operands += " value";
  if (row.keys == KeyFields::kCounted) operands = absl::StrCat("count (", operands, ")");
  if (row.number == NumberField::kI64) operands += operands.empty() ? "i64" : " i64";
  if (row.number == NumberField::kU32) operands += "u32";
  return operands.empty() ? "-" : operands;
}

TEST(FormatMd, OperandsAreThoseOfTheCode) {
  const std::vector<std::string> rows = Table("operation | operands | reply");
  ASSERT_EQ(rows.size(), kOperations.size());
  for (size_t i = 0; i < rows.size(); ++i) {
    const OperationRow& row = kOperations[i];
    EXPECT_TRUE(absl::StartsWith(rows[i], absl::StrCat(row.name, " | ", OperandsOf(row), " | ")))
        << rows[i];
  }
}

TEST(FormatMd, LimitsAreThoseOfTheCode) {
  const Limits limits;
  EXPECT_EQ(Table("limit | default"),
            (std::vector<std::string>{
                absl::StrCat("key_bytes_max | ", limits.key_bytes_max),
                absl::StrCat("value_bytes_max | ", limits.value_bytes_max),
                absl::StrCat("keys_per_request_max | ", limits.keys_per_request_max),
                absl::StrCat("request_bytes_max | ", limits.request_bytes_max)}));
}

}  // namespace
}  // namespace rollcall::protocol
