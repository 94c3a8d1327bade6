// Random requests and replies come out of the parsers as they went into the writers, in random
// pieces. A failure names its seed.

#include <algorithm>
#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "store/protocol/reply_parser.h"
#include "store/protocol/reply_shape.h"
#include "store/protocol/wire_text.h"

namespace rollcall::protocol {
namespace {

class Generator {
 public:
  explicit Generator(uint32_t seed) : random_(seed) {}

  uint64_t Below(uint64_t end) { return random_() % end; }

  std::string Text() {
    // Mostly short, now and then long enough to be cut often.
    std::string text(Below(8) == 0 ? Below(3000) : Below(20), '\0');
    for (char& byte : text) byte = static_cast<char>(Below(256));
    return text;
  }

  std::string Quoted() { return absl::StrCat(" \"", absl::CHexEscape(Text()), "\""); }

  int64_t Number() {
    const uint64_t bits = random_();
    return static_cast<int64_t>(bits >> Below(64));
  }

  std::string Request(Dialect dialect) {
    const OperationRow* row = nullptr;
    do {
      row = &kOperations[1 + Below(kOperationCount - 1)];
    } while (!OpcodeOf(dialect, row->operation).has_value());
    std::string line(row->name);
    const uint64_t keys = row->keys == KeyFields::kNone  ? 0
                          : row->keys == KeyFields::kOne ? 1
                                                         : Below(40);
    for (uint64_t i = 0; i < keys * (1 + row->values_per_key); ++i) line += Quoted();
    if (row->number == NumberField::kU32) absl::StrAppend(&line, " ", Below(uint64_t{1} << 32));
    if (row->number == NumberField::kI64) absl::StrAppend(&line, " ", Number());
    return line;
  }

  std::vector<absl::string_view> Pieces(absl::string_view bytes) {
    std::vector<absl::string_view> pieces;
    while (!bytes.empty()) {
      pieces.push_back(bytes.substr(0, 1 + Below(Below(4) == 0 ? 4000 : 12)));
      bytes.remove_prefix(pieces.back().size());
    }
    return pieces;
  }

 private:
  std::mt19937_64 random_;
};

TEST(RoundTrip, Requests) {
  for (uint32_t seed = 0; seed < 300; ++seed) {
    Generator generator(seed);
    const Dialect dialect = kDialects[seed % 3];
    ParserOptions options;
    if (dialect != Dialect::kModern) options.legacy_dialect = dialect;
    std::string wire = Greeting(dialect);
    Heard expected;
    for (uint64_t i = generator.Below(30); i > 0; --i) {
      expected.requests.push_back(generator.Request(dialect));
      ASSERT_TRUE(AppendRequestLine(dialect, expected.requests.back(), wire).ok());
    }
    EXPECT_EQ(HearPieces(options, generator.Pieces(wire)), expected) << "seed " << seed;
  }
}

TEST(RoundTrip, Replies) {
  for (uint32_t seed = 0; seed < 1000; ++seed) {
    Generator generator(seed);
    const ReplyShape& shape = kReplyShapes[generator.Below(kReplyKindCount)];
    const uint64_t asked = generator.Below(20);
    const int64_t number = static_cast<int64_t>(generator.Below(3));
    std::string line(ReplyKindName(shape.kind));
    if (shape.has_signal || (shape.number_bytes > 0 && shape.texts != TextCount::kNumber)) {
      absl::StrAppend(&line, " ", number);
    }
    uint64_t texts = 0;
    if (shape.texts == TextCount::kOne) texts = 1;
    if (shape.texts == TextCount::kThree) texts = 3;
    if (shape.texts == TextCount::kAsked || shape.texts == TextCount::kNumber) texts = asked;
    if (shape.texts == TextCount::kOneIfNumberIsPositive) texts = number > 0;
    for (uint64_t i = 0; i < texts; ++i) line += generator.Quoted();

    std::string bytes;
    ASSERT_TRUE(AppendReplyLine(line, bytes).ok()) << line;
    ReplyParser parser(shape.kind, asked);
    for (absl::string_view piece : generator.Pieces(bytes)) {
      const auto consumed = parser.Consume(piece);
      ASSERT_TRUE(consumed.ok()) << "seed " << seed;
      ASSERT_EQ(*consumed, piece.size()) << "seed " << seed;
    }
    ASSERT_TRUE(parser.done()) << "seed " << seed;
    EXPECT_EQ(ReplyLine(shape.kind, parser.Take()), line) << "seed " << seed;
  }
}

TEST(RoundTrip, GeneratedRequestsCoverEveryOperation) {
  Generator generator(1);
  std::vector<bool> seen(kOperationCount);
  for (int i = 0; i < 2000; ++i) {
    const std::string line = generator.Request(kDialects[generator.Below(3)]);
    for (const OperationRow& row : kOperations) {
      if (absl::StrCat(line, " ").rfind(absl::StrCat(row.name, " "), 0) == 0) {
        seen[static_cast<size_t>(row.operation)] = true;
      }
    }
  }
  EXPECT_EQ(std::count(seen.begin(), seen.end(), true), kOperationCount - 1);
}

}  // namespace
}  // namespace rollcall::protocol
