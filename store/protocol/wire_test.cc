#include "store/protocol/wire.h"

#include <string>

#include "gtest/gtest.h"

namespace rollcall::protocol::wire {
namespace {

TEST(Wire, IntegersAreLittleEndian) {
  std::string out;
  Put(uint32_t{0x3C85F7CE}, out);
  Put(uint64_t{1}, out);
  EXPECT_EQ(out, std::string("\xCE\xF7\x85\x3C\1\0\0\0\0\0\0\0", 12));
  EXPECT_EQ(Get<uint32_t>(out.data()), 0x3C85F7CE);
  EXPECT_EQ(Get<uint64_t>(out.data() + 4), 1u);
}

TEST(Wire, TextsHaveTheirLengthBeforeThem) {
  std::string out;
  PutText("ab", out);
  PutText("", out);
  EXPECT_EQ(out, std::string("\2\0\0\0\0\0\0\0ab\0\0\0\0\0\0\0\0", 18));
}

TEST(Wire, AWordMayComeInAnyPieces) {
  std::string bytes;
  Put(uint64_t{0x8899AABBCCDDEEFF}, bytes);
  Put(uint32_t{0x11223344}, bytes);
  for (size_t piece = 1; piece <= bytes.size(); ++piece) {
    uint64_t word = 0;
    uint8_t arrived = 0;
    std::string words;
    size_t width = 8;
    for (size_t at = 0; at < bytes.size(); at += piece) {
      absl::string_view in(bytes.data() + at, std::min(piece, bytes.size() - at));
      while (!in.empty() && TakeWord(in, width, word, arrived)) {
        Put(word, words);
        width = 4;
      }
    }
    std::string expected;
    Put(uint64_t{0x8899AABBCCDDEEFF}, expected);
    Put(uint64_t{0x11223344}, expected);
    EXPECT_EQ(words, expected) << "pieces of " << piece;
  }
}

TEST(Wire, AClaimedLengthTakesRoomOnlyForWhatCame) {
  std::string text;
  uint64_t left = 1 << 30;
  absl::string_view in = "ten bytes.";
  EXPECT_FALSE(TakeText(in, left, text));
  EXPECT_EQ(text, "ten bytes.");
  EXPECT_LE(text.capacity(), 10 * kTextGrowth);
}

TEST(Wire, ATextInPiecesIsCopiedALimitedNumberOfTimes) {
  const std::string piece(64 << 10, 'x');
  std::string text;
  uint64_t left = 8 << 20;
  int moves = 0;
  for (bool whole = false; !whole;) {
    absl::string_view in = piece;
    const char* before = text.data();
    whole = TakeText(in, left, text);
    moves += text.data() != before;
  }
  EXPECT_EQ(text.size(), size_t{8} << 20);
  EXPECT_LE(moves, 2);
}

}  // namespace
}  // namespace rollcall::protocol::wire
