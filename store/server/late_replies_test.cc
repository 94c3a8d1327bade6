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

TEST(LateRepliesTest, WhoWouldGetMoreThanMayWaitIsHungUpOn) {
  LateReplies late;
  EXPECT_TRUE(late.AppendBounded(kWaitingBytesMax - 1, 7, Signal('a')));
  EXPECT_TRUE(late.AppendBounded(kWaitingBytesMax - 2, 7, "bc"));
  EXPECT_FALSE(late.AppendBounded(kWaitingBytesMax, 8, Signal('d')));
  EXPECT_FALSE(late.AppendBounded(kWaitingBytesMax - 1, 9, "ef"));
  EXPECT_EQ(Shown(late),
            "7 bytes: a\n7 bytes: bc\n"
            "8 hang up: 1073741824 bytes wait for clients of its loop\n"
            "9 hang up: 1073741823 bytes wait for clients of its loop\n");
}

}  // namespace
}  // namespace rollcall
