#include "store/server/late_replies.h"

#include "store/protocol/reply_writer.h"

namespace rollcall {
namespace {

constexpr size_t kKeptBytesMax = 64 << 10;
constexpr size_t kKeptEntriesMax = 1024;

}  // namespace

void LateReplies::Append(engine::ClientId to, const protocol::Reply& reply) {
  const bool hang_up = reply.kind == protocol::ReplyKind::kHangUp;
  if (hang_up) {
    bytes_ += reply.reason;
  } else {
    protocol::AppendReply(reply, bytes_);
  }
  entries_.push_back({.to = to, .end = bytes_.size(), .hang_up = hang_up});
}

void LateReplies::ForEach(
    absl::FunctionRef<void(engine::ClientId to, absl::string_view bytes, bool hang_up)> visit)
    const {
  size_t begin = 0;
  for (const Entry& entry : entries_) {
    visit(entry.to, absl::string_view(bytes_).substr(begin, entry.end - begin), entry.hang_up);
    begin = entry.end;
  }
}

void LateReplies::Clear() {
  bytes_.clear();
  entries_.clear();
  if (bytes_.capacity() > kKeptBytesMax) bytes_.shrink_to_fit();
  if (entries_.capacity() > kKeptEntriesMax) entries_.shrink_to_fit();
}

void LateReplies::Swap(LateReplies& other) {
  bytes_.swap(other.bytes_);
  entries_.swap(other.entries_);
}

}  // namespace rollcall
