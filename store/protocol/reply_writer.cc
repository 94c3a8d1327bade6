#include "store/protocol/reply_writer.h"

#include <cassert>
#include <cstdint>

#include "absl/strings/string_view.h"
#include "store/protocol/reply_shape.h"
#include "store/protocol/wire.h"

namespace rollcall::protocol {
namespace {

constexpr size_t kHeadBytesMax = sizeof(Reply::signal) + sizeof(int64_t);

[[maybe_unused]] bool TextsFitTheShape(const Reply& reply) {
  switch (ShapeOf(reply.kind).texts) {
    case TextCount::kNone:
      return reply.texts.empty();
    case TextCount::kOne:
      return reply.texts.size() == 1;
    case TextCount::kThree:
      return reply.texts.size() == 3;
    case TextCount::kOneIfNumberIsPositive:
      return reply.texts.size() == (reply.number > 0 ? 1 : 0);
    case TextCount::kAsked:
    case TextCount::kNumber:
      break;
  }
  return true;
}

size_t TextsBytes(const Reply& reply) {
  size_t size_bytes = reply.texts.size() * wire::kLengthBytes;
  for (absl::string_view text : reply.texts) size_bytes += text.size();
  return size_bytes;
}

// What comes before the texts.
void AppendHead(const Reply& reply, std::string& out) {
  assert(TextsFitTheShape(reply));
  const ReplyShape& shape = ShapeOf(reply.kind);
  if (shape.has_signal) wire::PutByte(reply.signal, out);
  if (shape.number_bytes == sizeof(uint32_t)) {
    wire::Put(static_cast<uint32_t>(reply.number), out);
  } else if (shape.number_bytes == sizeof(int64_t)) {
    const bool counts = shape.texts == TextCount::kNumber;
    wire::Put(counts ? uint64_t{reply.texts.size()} : static_cast<uint64_t>(reply.number), out);
  }
}

}  // namespace

void AppendReply(const Reply& reply, std::string& out) {
  AppendHead(reply, out);
  if (reply.texts.empty()) return;
  char* next = wire::Extend(out, TextsBytes(reply));
  for (absl::string_view text : reply.texts) next = wire::StoreText(text, next);
}

void ReplyParts(const Reply& reply, std::string& framing, std::vector<absl::string_view>& parts) {
  framing.clear();
  parts.clear();
  // No later append may move what parts point to.
  framing.reserve(kHeadBytesMax + reply.texts.size() * wire::kLengthBytes);
  AppendHead(reply, framing);
  size_t begin = 0;
  for (const absl::string_view text : reply.texts) {
    wire::Put(uint64_t{text.size()}, framing);
    parts.push_back(absl::string_view(framing).substr(begin));
    parts.push_back(text);
    begin = framing.size();
  }
  if (begin < framing.size()) parts.push_back(absl::string_view(framing).substr(begin));
}

size_t EncodedBytes(const Reply& reply) {
  const ReplyShape& shape = ShapeOf(reply.kind);
  return size_t{shape.has_signal} + shape.number_bytes + TextsBytes(reply);
}

}  // namespace rollcall::protocol
