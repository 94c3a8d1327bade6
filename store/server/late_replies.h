// Replies on their way to clients of another event loop than the one whose request led to them, or
// from an engine that answers later.
#ifndef ROLLCALL_STORE_SERVER_LATE_REPLIES_H_
#define ROLLCALL_STORE_SERVER_LATE_REPLIES_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/strings/string_view.h"
#include "store/engine/client_id.h"
#include "store/protocol/reply.h"

namespace rollcall {

// What one entry is.
enum class LateKind : uint8_t {
  kReply,      // Bytes to be sent.
  kHangUp,     // The client's own doing: its connection must be closed; the bytes are the reason.
  kStoreFull,  // The same, where what it wanted to write has no room.
  kEngineFailed,  // The same, where the engine could not do what it should.
  kGoOn,          // No bytes: see EnginePort::IsFull and IsDone.
};

// What may wait for the clients of one loop.
inline constexpr size_t kWaitingBytesMax = size_t{1} << 30;

// Encoded, so that they do not depend on the engine's memory. All their bytes are in one string: a
// crowd that wakes up costs no allocation each. Not thread-safe.
class LateReplies {
 public:
  void Append(engine::ClientId to, const protocol::Reply& reply);
  void Append(engine::ClientId to, LateKind kind, absl::string_view bytes);
  // As above, of a reply to a client for whose loop `waiting_bytes` wait already: where it would be
  // more than kWaitingBytesMax, the client is hung up on instead, as one is that does not take its
  // replies. False then.
  bool AppendBounded(size_t waiting_bytes, engine::ClientId to, const protocol::Reply& reply);
  bool AppendBounded(size_t waiting_bytes, engine::ClientId to, absl::string_view encoded);
  // All that `other` has, which is then empty.
  void Take(LateReplies& other);
  bool empty() const { return entries_.empty(); }
  size_t count() const { return entries_.size(); }
  size_t size_bytes() const { return bytes_.size(); }
  // In the order in which they came.
  void ForEach(absl::FunctionRef<void(engine::ClientId to, LateKind kind, absl::string_view bytes)>
                   visit) const;
  // Keeps some memory for the next ones.
  void Clear();
  void Swap(LateReplies& other);

 private:
  struct Entry {
    engine::ClientId to = 0;
    size_t end = 0;  // In bytes_; it begins where the one before ends.
    LateKind kind = LateKind::kReply;
  };

  bool FitsOrHangUp(size_t waiting_bytes, engine::ClientId to, size_t reply_bytes);

  std::string bytes_;
  std::vector<Entry> entries_;
};

}  // namespace rollcall

#endif  // ROLLCALL_STORE_SERVER_LATE_REPLIES_H_
