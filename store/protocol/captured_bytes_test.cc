// Bytes that torch 2.14.1 and 1.13.1 were seen to send and receive, compared exactly, both ways.

#include <string>

#include "gtest/gtest.h"
#include "store/protocol/reply_parser.h"
#include "store/protocol/wire_text.h"

namespace rollcall::protocol {
namespace {

struct CapturedRequest {
  Dialect dialect;
  absl::string_view line;
  absl::string_view hex;
};

constexpr CapturedRequest kRequests[] = {
    {Dialect::kModern, "ping 29049", "0D 79710000"},
    {Dialect::kModern, R"(add "init/" 1)", "04 0500000000000000 696E69742F 0100000000000000"},
    {Dialect::kModern, R"(set "/k" "v")", "01 0200000000000000 2F6B 0100000000000000 76"},
    {Dialect::kModern, R"(set "/e" "")", "01 0200000000000000 2F65 0000000000000000"},
    {Dialect::kModern, R"(wait "/k")", "06 0100000000000000 0200000000000000 2F6B"},
    {Dialect::kModern, R"(get "/k")", "03 0200000000000000 2F6B"},
    {Dialect::kModern, R"(add "/n" -7)", "04 0200000000000000 2F6E F9FFFFFFFFFFFFFF"},
    {Dialect::kModern, R"(compare_set "/c" "" "x")",
     "02 0200000000000000 2F63 0000000000000000 0100000000000000 78"},
    {Dialect::kModern, R"(delete_key "/k")", "08 0200000000000000 2F6B"},
    {Dialect::kModern, "num_keys", "07"},
    {Dialect::kModern, R"(check "/m1" "/m9")",
     "05 0200000000000000 0300000000000000 2F6D31 0300000000000000 2F6D39"},
    {Dialect::kModern, "cancel_wait", "0C"},
    {Dialect::kModern, R"(multi_set "/m1" "1" "/m2" "22")",
     "0B 0200000000000000 0300000000000000 2F6D31 0100000000000000 31 0300000000000000 2F6D32 "
     "0200000000000000 3232"},
    {Dialect::kModern, R"(multi_get "/m1" "/m2")",
     "0A 0200000000000000 0300000000000000 2F6D31 0300000000000000 2F6D32"},
    {Dialect::kModern, "list_keys", "11"},
    {Dialect::kModern, R"(barrier "/b" 1)", "12 0200000000000000 2F62 0100000000000000"},
    {Dialect::kLegacy, R"(add "init/" 1)", "03 0500000000000000 696E69742F 0100000000000000"},
};

struct CapturedReply {
  ReplyKind kind;
  size_t texts;
  absl::string_view line;
  absl::string_view hex;
};

constexpr CapturedReply kReplies[] = {
    {ReplyKind::kNonce, 0, "nonce 29049", "79710000"},
    {ReplyKind::kNumber, 0, "number 1", "0100000000000000"},
    {ReplyKind::kNumber, 0, "number -2", "FEFFFFFFFFFFFFFF"},
    {ReplyKind::kSignal, 0, "signal 0", "00"},
    {ReplyKind::kBytes, 0, R"(bytes "v")", "0100000000000000 76"},
    {ReplyKind::kTexts, 2, R"(texts "1" "22")", "0100000000000000 31 0200000000000000 3232"},
};

TEST(CapturedBytes, GreetingIsTorchs) {
  EXPECT_EQ(Hex(Greeting(Dialect::kModern)), "00 CE F7 85 3C");
  EXPECT_EQ(Greeting(Dialect::kLegacy), "");
}

TEST(CapturedBytes, RequestsAreWrittenAsTorchWritesThem) {
  for (const CapturedRequest& captured : kRequests) {
    EXPECT_EQ(Hex(RequestBytes(captured.dialect, captured.line)), Hex(Unhex(captured.hex)));
  }
}

TEST(CapturedBytes, TorchsRequestsAreUnderstood) {
  for (const CapturedRequest& captured : kRequests) {
    const std::string bytes = Greeting(captured.dialect) + Unhex(captured.hex);
    EXPECT_EQ(HearPieces(ParserOptions(), {bytes}), (Heard{{std::string(captured.line)}, false}));
  }
}

TEST(CapturedBytes, RepliesAreWrittenAsTorchWritesThem) {
  for (const CapturedReply& captured : kReplies) {
    std::string bytes;
    ASSERT_TRUE(AppendReplyLine(captured.line, bytes).ok());
    EXPECT_EQ(Hex(bytes), Hex(Unhex(captured.hex)));
  }
}

TEST(CapturedBytes, TorchsRepliesAreUnderstood) {
  for (const CapturedReply& captured : kReplies) {
    const std::string bytes = Unhex(captured.hex);
    ReplyParser parser(captured.kind, captured.texts);
    ASSERT_EQ(*parser.Consume(bytes), bytes.size());
    ASSERT_TRUE(parser.done());
    EXPECT_EQ(ReplyLine(captured.kind, parser.Take()), captured.line);
  }
}

}  // namespace
}  // namespace rollcall::protocol
