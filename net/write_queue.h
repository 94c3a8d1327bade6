// Bytes that a socket has not taken yet.
#ifndef ROLLCALL_NET_WRITE_QUEUE_H_
#define ROLLCALL_NET_WRITE_QUEUE_H_

#include <sys/uio.h>

#include <cstddef>
#include <deque>
#include <memory>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"

namespace rollcall::net {

// A first-in, first-out queue of bytes in chunks: each byte is copied once, on its way in, and
// memory goes back as the bytes leave. Not thread-safe.
class WriteQueue {
 public:
  static constexpr size_t kChunkBytes = 64 << 10;

  void Append(absl::string_view bytes);

  // Points `parts` at the oldest bytes, in order; the rest of the queue if there are parts enough.
  // Returns how many were used. They hold until the next call of Append or Consume.
  size_t Peek(absl::Span<iovec> parts) const;

  // Drops the `count` oldest bytes. At most size_bytes().
  void Consume(size_t count);

  size_t size_bytes() const { return size_bytes_; }

 private:
  struct Chunk {
    std::unique_ptr<char[]> memory;
    size_t capacity_bytes = 0;
    size_t begin = 0;  // The bytes still to go are [begin, end).
    size_t end = 0;
  };

  std::deque<Chunk> chunks_;
  size_t size_bytes_ = 0;
};

}  // namespace rollcall::net

#endif  // ROLLCALL_NET_WRITE_QUEUE_H_
