// Bytes that are on their way through a server: replies that clients have not taken, requests that
// are not whole. They count against what may be stored.
#ifndef ROLLCALL_STORE_SERVER_TRANSFER_MEMORY_H_
#define ROLLCALL_STORE_SERVER_TRANSFER_MEMORY_H_

#include <atomic>
#include <cstddef>
#include <optional>

#include "absl/container/flat_hash_map.h"
#include "store/engine/client_id.h"

namespace rollcall {

// Of all loops together. Thread-safe.
class TransferMemory {
 public:
  // What may be stored and on its way together; 0: there is no limit, and nothing is counted.
  explicit TransferMemory(size_t bytes_max) : bytes_max_(bytes_max) {}

  bool is_limited() const { return bytes_max_ != 0; }
  size_t bytes_max() const { return bytes_max_; }
  // Replies may go so far beyond the limit: else nothing could be read from a store that is full.
  size_t replies_max() const { return bytes_max_ + bytes_max_ / 4; }
  size_t bytes() const { return bytes_.load(std::memory_order_relaxed); }
  // For who stores.
  const std::atomic<size_t>& counter() const { return bytes_; }

  // From `before` bytes to `now`, of one connection. Wraps around where it shrinks.
  void Change(size_t before, size_t now) { bytes_.fetch_add(now - before); }

 private:
  const size_t bytes_max_;
  std::atomic<size_t> bytes_{0};
};

// One loop's connections that have something on its way; most never have. Loop's thread only.
class LoopTransfers {
 public:
  struct Share {
    size_t requests = 0;
    size_t replies = 0;
  };

  // `*memory` must outlive it.
  explicit LoopTransfers(TransferMemory* memory) : memory_(*memory) {}
  ~LoopTransfers();
  LoopTransfers(const LoopTransfers&) = delete;
  LoopTransfers& operator=(const LoopTransfers&) = delete;

  bool are_counted() const { return memory_.is_limited(); }
  const TransferMemory& memory() const { return memory_; }

  void SetRequests(engine::ClientId client, size_t bytes);
  void SetReplies(engine::ClientId client, size_t bytes);
  void Forget(engine::ClientId client);
  Share Of(engine::ClientId client) const;

  // Who has most replies to take; nullopt: nobody has any. Looks at all that have.
  std::optional<engine::ClientId> FurthestBehind() const;

 private:
  void Set(engine::ClientId client, size_t Share::*part, size_t bytes);

  TransferMemory& memory_;
  absl::flat_hash_map<engine::ClientId, Share> shares_;
};

}  // namespace rollcall

#endif  // ROLLCALL_STORE_SERVER_TRANSFER_MEMORY_H_
