#include "net/write_queue.h"

#include <algorithm>
#include <cstring>
#include <utility>

namespace rollcall::net {
namespace {

// Small answers queue up one by one: the first chunk is made for a few of them, not for one.
constexpr size_t kSmallestChunkBytes = 1 << 10;

}  // namespace

void WriteQueue::Append(absl::string_view bytes) {
  size_bytes_ += bytes.size();
  while (!bytes.empty()) {
    if (chunks_.empty() || chunks_.back().end == chunks_.back().capacity_bytes) {
      // A queue that has grown is likely to grow on, so from the second chunk on they are
      // full-sized.
      const size_t least = chunks_.empty() ? kSmallestChunkBytes : kChunkBytes;
      Chunk chunk;
      chunk.capacity_bytes = std::clamp(bytes.size(), least, kChunkBytes);
      chunk.memory = std::make_unique_for_overwrite<char[]>(chunk.capacity_bytes);
      chunks_.push_back(std::move(chunk));
    }
    Chunk& last = chunks_.back();
    const size_t count = std::min(bytes.size(), last.capacity_bytes - last.end);
    std::memcpy(last.memory.get() + last.end, bytes.data(), count);
    last.end += count;
    bytes.remove_prefix(count);
  }
}

size_t WriteQueue::Peek(absl::Span<iovec> parts) const {
  const size_t count = std::min(parts.size(), chunks_.size());
  for (size_t i = 0; i < count; ++i) {
    const Chunk& chunk = chunks_[i];
    parts[i] = {.iov_base = chunk.memory.get() + chunk.begin, .iov_len = chunk.end - chunk.begin};
  }
  return count;
}

void WriteQueue::Consume(size_t count) {
  size_bytes_ -= count;
  while (count > 0) {
    Chunk& first = chunks_.front();
    const size_t taken = std::min(count, first.end - first.begin);
    first.begin += taken;
    count -= taken;
    if (first.begin == first.end) chunks_.pop_front();
  }
}

}  // namespace rollcall::net
