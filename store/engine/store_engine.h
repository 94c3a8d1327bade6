// What a store does, without a socket, a clock, a thread or a log: requests and the time in,
// replies out. The semantics are in FORMAT.md, operation by operation.
#ifndef ROLLCALL_STORE_ENGINE_STORE_ENGINE_H_
#define ROLLCALL_STORE_ENGINE_STORE_ENGINE_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "absl/time/time.h"
#include "store/protocol/dialect.h"
#include "store/protocol/reply.h"
#include "store/protocol/request.h"

namespace rollcall::engine {

// A connection, as the engine's owner numbers them. Never used again for another connection.
using ClientId = uint64_t;

struct Outgoing {
  ClientId to = 0;
  protocol::Reply reply;
};
using Replies = std::vector<Outgoing>;

// Keys that begin with this are rollcall's own marks ("rollcall/rank/3"). Stores put "/" before
// every key of a user, so no user key can begin with it. They can be set, read and awaited like any
// other, but num_keys and list_keys leave them out: torch's clients must not see them.
inline constexpr char kHiddenKeyPrefix[] = "rollcall/";

// Not thread-safe: one thread, or the owner's lock.
class StoreEngine {
 public:
  // A client must be known before its first request.
  void Connect(ClientId client, protocol::Dialect dialect);
  // Forgets the client and all it waits for or watches. Unknown clients are ignored.
  void Disconnect(ClientId client);

  // Applies one request and appends what is to be said, in the order in which it must be sent; some
  // of it may be for others than `from`. Texts are moved out of `request`. The replies' views are
  // valid until the next call. A kHangUp reply asks the owner to close that connection (and then to
  // call Disconnect).
  void Apply(ClientId from, protocol::Request& request, absl::Time now, Replies& replies);

  // For metrics, tests and leak checks.
  size_t key_count() const;      // Without the hidden ones.
  size_t waiting_clients() const;
  size_t client_count() const;
};

}  // namespace rollcall::engine

#endif  // ROLLCALL_STORE_ENGINE_STORE_ENGINE_H_
