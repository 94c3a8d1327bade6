// What the connections of one event loop know of the engine behind them: whether it is theirs
// alone, is shared with other loops, or is somewhere else and takes its time, they need not know.
#ifndef ROLLCALL_STORE_SERVER_ENGINE_PORT_H_
#define ROLLCALL_STORE_SERVER_ENGINE_PORT_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "store/engine/client_id.h"
#include "store/engine/store_engine.h"
#include "store/protocol/dialect.h"
#include "store/protocol/features.h"
#include "store/protocol/request.h"
#include "store/server/late_replies.h"
#include "store/server/snapshot_parts.h"

namespace rollcall {

struct EngineNumbers {
  size_t keys = 0;
  size_t waiting_clients = 0;
  size_t memory_bytes = 0;  // Counted only where there is a limit for all name spaces together.
};

// One for each event loop, and all but numbers() is for that loop's thread. A request is answered
// by the call that brings it (Apply), or later (Begin), or never, as its operation has it. What
// several ports of one engine give to one client comes in the order in which the engine made it,
// provided that the loop passes on what Begin gives before what the calls of that batch give.
class EnginePort {
 public:
  virtual ~EnginePort() = default;

  // `wake` is called, from any thread, when there are late replies that no batch has taken yet: the
  // loop must then begin one soon. It may be called when there are none after all. Once before the
  // first batch, and once more, with nothing, when the loop has ended: it is not called from then
  // on.
  virtual void SetWake(absl::AnyInvocable<void()> wake) = 0;

  // Connect, Disconnect, Awaits and Apply are called in batches, between Begin and End. A batch may
  // hold up all other loops, so no system call is to be made in it. `late`, which must be empty,
  // gets what is to be said to clients of this loop because of what others did, or were asked
  // earlier.
  virtual void Begin(LateReplies& late) = 0;
  // From here on numbers() include the batch.
  virtual void End() = 0;

  // As in StoreEngine, but for name spaces: a client sees, changes and awaits the keys of its own
  // alone, which is the default one if `name_space` is empty. Clients' numbers say which loop they
  // are on (loop_number.h).
  virtual void Connect(engine::ClientId client, protocol::Dialect dialect,
                       absl::string_view name_space) = 0;
  virtual bool Disconnect(engine::ClientId client, absl::Time now) = 0;
  virtual bool Awaits(engine::ClientId client) = 0;
  // Appends what is to be said, now, to clients of this loop; views in it are valid until the next
  // call but Begin and End if replies_outlive_batches(), else not after End.
  virtual void Apply(engine::ClientId from, protocol::Request& request, absl::Time now,
                     engine::Replies& replies) = 0;
  virtual bool replies_outlive_batches() const = 0;
  // What clients are told that the server can do (protocol/features.h). From any thread.
  virtual uint32_t features() const { return protocol::kServerFeatures; }

  // --- Of an engine that answers later, in batches too ---
  // Whether it is one: the other two mean something then.
  virtual bool answers_later() const { return false; }
  // Whether `client` should not be read from for now: it has asked for much that is not answered
  // yet. Then a kGoOn comes for it once that is over.
  virtual bool IsFull(engine::ClientId /*client*/) { return false; }
  // Whether all that `client` asked for has been done, waits excepted, and its replies have been
  // taken. If not, a kGoOn comes behind the last of them.
  virtual bool IsDone(engine::ClientId /*client*/) { return true; }

  // Where the engine has a limit of memory: `*bytes`, which change at any time, count against it,
  // and numbers() has what is stored. Before the first batch; after the last one with nullptr.
  virtual void CountAlso(const std::atomic<size_t>* /*bytes*/) {}

  // Of each name space there is, the default one first; outside of a batch. Holds up all other
  // loops meanwhile.
  virtual std::vector<EngineSnapshot> Snapshot() = 0;

  // Of all name spaces together; from any thread. The two may be of neighbouring moments.
  virtual EngineNumbers numbers() const = 0;
};

}  // namespace rollcall

#endif  // ROLLCALL_STORE_SERVER_ENGINE_PORT_H_
