// What each kind of reply carries: the table that drives the reply writer and the reply parser.
#ifndef ROLLCALL_STORE_PROTOCOL_REPLY_SHAPE_H_
#define ROLLCALL_STORE_PROTOCOL_REPLY_SHAPE_H_

#include <array>
#include <cstddef>
#include <cstdint>

#include "store/protocol/reply.h"

namespace rollcall::protocol {

// What the number of texts in a reply is.
enum class TextCount : uint8_t {
  kNone,
  kOne,
  kThree,
  kAsked,   // As many as the request had keys: the reply does not say.
  kNumber,  // The number before them.
  kOneIfNumberIsPositive,
};

// In the order of the wire: the signal, the number, the texts.
struct ReplyShape {
  ReplyKind kind;
  bool has_signal;
  uint8_t number_bytes;  // 0, 4 or 8.
  TextCount texts;
};

inline constexpr int kReplyKindCount = static_cast<int>(ReplyKind::kHangUp) + 1;

inline constexpr std::array<ReplyShape, kReplyKindCount> kReplyShapes = {{
    {ReplyKind::kSignal, true, 0, TextCount::kNone},
    {ReplyKind::kNumber, false, 8, TextCount::kNone},
    {ReplyKind::kNonce, false, 4, TextCount::kNone},
    {ReplyKind::kBytes, false, 0, TextCount::kOne},
    {ReplyKind::kTexts, false, 0, TextCount::kAsked},
    {ReplyKind::kList, false, 8, TextCount::kNumber},
    {ReplyKind::kPopped, false, 8, TextCount::kOneIfNumberIsPositive},
    {ReplyKind::kKeyEvent, true, 0, TextCount::kThree},
    {ReplyKind::kHangUp, false, 0, TextCount::kNone},
}};

constexpr const ReplyShape& ShapeOf(ReplyKind kind) {
  return kReplyShapes[static_cast<size_t>(kind)];
}

namespace reply_shape_internal {
constexpr bool ShapesStandAtTheirKinds() {
  for (size_t i = 0; i < kReplyShapes.size(); ++i) {
    if (kReplyShapes[i].kind != static_cast<ReplyKind>(i)) return false;
  }
  return true;
}
static_assert(ShapesStandAtTheirKinds(), "ShapeOf indexes kReplyShapes by kind");
}  // namespace reply_shape_internal

}  // namespace rollcall::protocol

#endif  // ROLLCALL_STORE_PROTOCOL_REPLY_SHAPE_H_
