#include "store/server/late_replies.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"

namespace rollcall {
namespace {

protocol::Reply Signal(uint8_t signal) {
  protocol::Reply reply;
  reply.signal = signal;
  return reply;
}

std::string Shown(const LateReplies& late) {
  std::string shown;
  late.ForEach([&](engine::ClientId to, LateKind kind, absl::string_view bytes) {
    absl::StrAppend(&shown, to, kind == LateKind::kHangUp ? " hang up: " : " bytes: ", bytes, "\n");
  });
  return shown;
}

TEST(LateRepliesTest, KeepsOrderBytesAndReasons) {
  LateReplies late;
  EXPECT_TRUE(late.empty());
  late.Append(7, Signal('a'));
  protocol::Reply hang_up;
  hang_up.kind = protocol::ReplyKind::kHangUp;
  hang_up.reason = "too much";
  late.Append(8, hang_up);
  late.Append(7, Signal('b'));
  EXPECT_EQ(Shown(late), "7 bytes: a\n8 hang up: too much\n7 bytes: b\n");
  LateReplies taken;
  taken.Swap(late);
  EXPECT_TRUE(late.empty());
  EXPECT_EQ(taken.size_bytes(), 10u);
  taken.Clear();
  EXPECT_EQ(Shown(taken), "");
}

}  // namespace
}  // namespace rollcall
