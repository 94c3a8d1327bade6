#include "store/server/late_replies.h"

#include "absl/strings/str_cat.h"
#include "store/protocol/reply_writer.h"

namespace rollcall {
namespace {

constexpr size_t kKeptBytesMax = 64 << 10;
constexpr size_t kKeptEntriesMax = 1024;

}  // namespace

void LateReplies::Append(engine::ClientId to, const protocol::Reply& reply) {
  if (reply.kind == protocol::ReplyKind::kHangUp) {
    const bool is_full = reply.cause == protocol::HangUpCause::kStoreFull;
    return Append(to, is_full ? LateKind::kStoreFull : LateKind::kHangUp, reply.reason);
  }
  protocol::AppendReply(reply, bytes_);
  entries_.push_back({.to = to, .end = bytes_.size(), .kind = LateKind::kReply});
}

void LateReplies::Append(engine::ClientId to, LateKind kind, absl::string_view bytes) {
  bytes_.append(bytes.data(), bytes.size());
  entries_.push_back({.to = to, .end = bytes_.size(), .kind = kind});
}

bool LateReplies::AppendBounded(size_t waiting_bytes, engine::ClientId to,
                                const protocol::Reply& reply) {
  if (!FitsOrHangUp(waiting_bytes, to, protocol::EncodedBytes(reply))) return false;
  Append(to, reply);
  return true;
}

bool LateReplies::AppendBounded(size_t waiting_bytes, engine::ClientId to,
                                absl::string_view encoded) {
  if (!FitsOrHangUp(waiting_bytes, to, encoded.size())) return false;
  Append(to, LateKind::kReply, encoded);
  return true;
}

bool LateReplies::FitsOrHangUp(size_t waiting_bytes, engine::ClientId to, size_t reply_bytes) {
  if (waiting_bytes + reply_bytes <= kWaitingBytesMax) return true;
  Append(to, LateKind::kHangUp, absl::StrCat(waiting_bytes, " bytes wait for clients of its loop"));
  return false;
}

void LateReplies::Take(LateReplies& other) {
  if (empty()) {
    Swap(other);
  } else {
    const size_t begin = bytes_.size();
    bytes_ += other.bytes_;
    for (Entry entry : other.entries_) {
      entry.end += begin;
      entries_.push_back(entry);
    }
  }
  other.Clear();
}

void LateReplies::ForEach(
    absl::FunctionRef<void(engine::ClientId to, LateKind kind, absl::string_view bytes)> visit)
    const {
  size_t begin = 0;
  for (const Entry& entry : entries_) {
    visit(entry.to, entry.kind, absl::string_view(bytes_).substr(begin, entry.end - begin));
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
