// Replies, written and read back: the bytes of each kind, in any pieces, and what a client refuses.

#include <cstdint>
#include <string>
#include <vector>

#include "absl/algorithm/container.h"
#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "gtest/gtest.h"
#include "store/protocol/reply_parser.h"
#include "store/protocol/reply_writer.h"
#include "store/protocol/wire.h"
#include "store/protocol/wire_text.h"

namespace rollcall::protocol {
namespace {

struct Sample {
  ReplyKind kind;
  absl::string_view line;
  absl::string_view hex;
  size_t texts = 0;  // What the client asked for.
};

constexpr Sample kSamples[] = {
    {ReplyKind::kSignal, "signal 1", "01"},
    {ReplyKind::kNumber, "number -2", "FE FF FF FF FF FF FF FF"},
    {ReplyKind::kNonce, "nonce 4294967295", "FF FF FF FF"},
    {ReplyKind::kBytes, R"(bytes "v")", "0100000000000000 76"},
    {ReplyKind::kBytes, R"(bytes "")", "0000000000000000"},
    {ReplyKind::kTexts, "texts", "", 0},
    {ReplyKind::kTexts, R"(texts "1" "" "22")",
     "0100000000000000 31 0000000000000000 0200000000000000 3232", 3},
    {ReplyKind::kList, "list", "0000000000000000"},
    {ReplyKind::kList, R"(list "/a" "")",
     "0200000000000000 0200000000000000 2F61 0000000000000000"},
    {ReplyKind::kPopped, "popped 0", "0000000000000000"},
    {ReplyKind::kPopped, R"(popped 2 "v")", "0200000000000000 0100000000000000 76"},
    {ReplyKind::kKeyEvent, R"(key_event 0 "/k" "old" "")",
     "00 0200000000000000 2F6B 0300000000000000 6F6C64 0000000000000000"},
};

std::string Word(uint64_t value) {
  std::string word;
  wire::Put(value, word);
  return word;
}

TEST(Reply, EveryKindIsWrittenToTheByte) {
  for (const Sample& sample : kSamples) {
    std::string bytes;
    ASSERT_TRUE(AppendReplyLine(sample.line, bytes).ok()) << sample.line;
    EXPECT_EQ(Hex(bytes), Hex(Unhex(sample.hex))) << sample.line;
  }
}

TEST(Reply, InPartsEveryKindHasTheSameBytesAndItsTextsAreWhereTheyWere) {
  std::string framing;
  std::vector<absl::string_view> parts;
  const auto bytes_of_parts = [&] { return absl::StrJoin(parts, ""); };
  ReplyParts({.kind = ReplyKind::kNumber, .number = -2}, framing, parts);
  EXPECT_EQ(bytes_of_parts(), Word(static_cast<uint64_t>(-2)));
  const std::vector<std::string> texts = {"key", "", std::string(100, 'v')};
  for (const ReplyKind kind : {ReplyKind::kTexts, ReplyKind::kList, ReplyKind::kKeyEvent}) {
    Reply reply;
    reply.kind = kind;
    reply.texts.assign(texts.begin(), texts.end());
    std::string whole;
    AppendReply(reply, whole);
    ReplyParts(reply, framing, parts);
    EXPECT_EQ(Hex(bytes_of_parts()), Hex(whole));
    for (const std::string& text : texts) {
      EXPECT_TRUE(absl::c_any_of(parts, [&](absl::string_view part) {
        return part.data() == text.data() && part.size() == text.size();
      }));
    }
  }
}

TEST(Reply, EveryKindIsReadInTwoPiecesCutAnywhereAndNoByteTooMany) {
  for (const Sample& sample : kSamples) {
    const std::string bytes = Unhex(sample.hex);
    const std::string stream = bytes + "next";
    for (size_t cut = 0; cut <= bytes.size(); ++cut) {
      ReplyParser parser(sample.kind, sample.texts);
      const auto first = parser.Consume(absl::string_view(stream).substr(0, cut));
      ASSERT_TRUE(first.ok()) << sample.line;
      EXPECT_EQ(*first, cut) << sample.line;
      const auto second = parser.Consume(absl::string_view(stream).substr(cut));
      ASSERT_TRUE(second.ok()) << sample.line;
      EXPECT_EQ(cut + *second, bytes.size()) << sample.line;
      ASSERT_TRUE(parser.done()) << sample.line;
      EXPECT_EQ(ReplyLine(sample.kind, parser.Take()), sample.line);
    }
  }
}

TEST(Reply, AskingForWhatIsMissingReadsExactlyTheReply) {
  for (const Sample& sample : kSamples) {
    const std::string bytes = Unhex(sample.hex);
    ReplyParser parser(sample.kind, sample.texts);
    size_t at = 0;
    while (!parser.done()) {
      const size_t missing = parser.missing_bytes();
      ASSERT_GE(missing, 1u) << sample.line;
      ASSERT_LE(at + missing, bytes.size()) << sample.line;
      ASSERT_EQ(*parser.Consume(absl::string_view(bytes).substr(at, missing)), missing);
      at += missing;
    }
    EXPECT_EQ(at, bytes.size()) << sample.line;
    EXPECT_EQ(parser.missing_bytes(), 0u);
  }
}

TEST(Reply, EncodedBytesIsWhatIsAppended) {
  Reply reply;
  reply.kind = ReplyKind::kList;
  reply.texts = {"/a", "/bcd"};
  std::string bytes;
  AppendReply(reply, bytes);
  EXPECT_EQ(EncodedBytes(reply), bytes.size());
  reply = {};
  reply.kind = ReplyKind::kHangUp;
  bytes.clear();
  AppendReply(reply, bytes);
  EXPECT_EQ(bytes, "");
  EXPECT_EQ(EncodedBytes(reply), 0u);
}

TEST(Reply, NegativeCountsAreRefused) {
  for (ReplyKind kind : {ReplyKind::kList, ReplyKind::kPopped}) {
    ReplyParser parser(kind);
    const absl::Status status = parser.Consume(Word(uint64_t{0} - 3)).status();
    EXPECT_TRUE(absl::IsDataLoss(status)) << status;
    EXPECT_EQ(status.message(), "reply with a count of -3");
    EXPECT_FALSE(parser.done());
    EXPECT_EQ(parser.Consume("more").status(), status);
  }
}

TEST(Reply, TextsAndTheirNumberHaveLimits) {
  const ReplyLimits limits = {.text_bytes_max = 10, .texts_max = 2};
  ReplyParser count(ReplyKind::kList, 0, limits);
  EXPECT_EQ(count.Consume(Word(3)).status().message(), "reply with 3 texts; limit is 2");

  ReplyParser one(ReplyKind::kBytes, 0, limits);
  EXPECT_TRUE(one.Consume(Word(10)).ok());
  ReplyParser long_one(ReplyKind::kBytes, 0, limits);
  EXPECT_EQ(long_one.Consume(Word(11)).status().message(),
            "reply with a text of 11 bytes after 0 bytes of texts; limit is 10");

  ReplyParser sum(ReplyKind::kTexts, 2, limits);
  EXPECT_EQ(sum.Consume(absl::StrCat(Word(6), "123456", Word(5))).status().message(),
            "reply with a text of 5 bytes after 6 bytes of texts; limit is 10");
}

}  // namespace
}  // namespace rollcall::protocol
