// What a store does, without a socket, a clock, a thread or a log: requests and the time in,
// replies out. The semantics are in FORMAT.md, operation by operation.
#ifndef ROLLCALL_STORE_ENGINE_STORE_ENGINE_H_
#define ROLLCALL_STORE_ENGINE_STORE_ENGINE_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "store/engine/change_log.h"
#include "store/engine/client_id.h"
#include "store/engine/duration_histogram.h"
#include "store/engine/key_space.h"
#include "store/engine/rank_list.h"
#include "store/engine/wait_list.h"
#include "store/engine/watch_list.h"
#include "store/protocol/dialect.h"
#include "store/protocol/reply.h"
#include "store/protocol/request.h"

namespace rollcall::engine {

struct Outgoing {
  ClientId to = 0;
  protocol::Reply reply;
};
using Replies = std::vector<Outgoing>;

// What one store may hold; 0: as much as there is room for. Memory is that of keys, values, queues
// and waits, and of what is kept for its clients besides, as memory_bytes() has it.
struct StoreLimits {
  size_t keys_max = 0;  // Those that num_keys counts, and queues.
  size_t memory_bytes_max = 0;
  size_t clients_max = 0;  // Kept by NameSpaces.

  bool any() const { return keys_max != 0 || memory_bytes_max != 0 || clients_max != 0; }
};

// What several stores may hold together; they keep `bytes_used` up to date.
struct MemoryBudget {
  size_t bytes_max = 0;  // 0: no limit.
  size_t bytes_used = 0;
  const std::atomic<size_t>* also_used = nullptr;  // By others, who keep it up to date.

  size_t also_used_bytes() const {
    return also_used == nullptr ? 0 : also_used->load(std::memory_order_relaxed);
  }
};

// Not thread-safe: one thread, or the owner's lock.
class StoreEngine {
 public:
  StoreEngine() = default;
  // `name` is for messages. `*budget` may be nullptr, and must outlive the engine.
  StoreEngine(std::string name, const StoreLimits& limits, MemoryBudget* budget);
  ~StoreEngine();
  StoreEngine(const StoreEngine&) = delete;
  StoreEngine& operator=(const StoreEngine&) = delete;

  // A client must be known before its first request.
  void Connect(ClientId client, protocol::Dialect dialect);
  // Forgets the client and all it waits for or watches. True if it waited for something. Unknown
  // clients are ignored.
  bool Disconnect(ClientId client, absl::Time now);

  // Whether it waits for something or watches something: then its silence says nothing.
  bool Awaits(ClientId client) const {
    return waits_.IsWaiting(client) || watches_.IsWatching(client);
  }

  // Applies one request and appends what is to be said, in the order in which it must be sent; some
  // of it may be for others than `from`. Texts are moved out of `request`. The replies' views are
  // valid until the next call. A kHangUp reply asks the owner to close that connection (and then to
  // call Disconnect); a client that was never connected gets nothing else.
  //
  // Where the store is full, a request that would have it grow changes nothing and is answered with
  // a kHangUp of kStoreFull; all others go on.
  //
  // A reply may be far larger than its request, since a multi_get can name one big value many
  // times: look at protocol::EncodedBytes before encoding one.
  void Apply(ClientId from, protocol::Request& request, absl::Time now, Replies& replies);

  // A barrier again, of a member that has been counted: only the wait for the others.
  void RejoinBarrier(ClientId from, protocol::Request& request, absl::Time now, Replies& replies);

  // --- For who keeps the store somewhere ---
  // As in KeySpace.
  void LogTo(ChangeLog* log) { keys_.LogTo(log); }
  // What was kept comes back, be it more than there may be; before the first request, and nobody is
  // told.
  void Restore(std::string key, std::string value);
  void RestoreElement(std::string queue, std::string element);
  // What the owner keeps for its clients by itself, such as answers that may not have come, counts
  // as the store's memory. The owner tells the budget, too.
  void SetBytesBesides(size_t bytes) { bytes_besides_ = bytes; }
  // How far it is beyond its own limits, in words; empty: it is not.
  std::string KeysBeyondLimit() const;
  std::string MemoryBeyondLimit() const;

  // For metrics, tests and leak checks.
  size_t key_count() const { return keys_.visible_key_count(); }  // Without the hidden ones.
  size_t queue_count() const { return keys_.queue_count(); }
  size_t QueueLengthOf(absl::string_view queue) const { return keys_.QueueLength(queue); }
  size_t key_bytes() const { return keys_.key_bytes(); }      // As in KeySpace, ...
  size_t value_bytes() const { return keys_.value_bytes(); }  // ... hidden keys and queues too.
  // What StoreLimits and MemoryBudget count.
  size_t memory_bytes() const { return own_memory_bytes() + bytes_besides_; }
  size_t waiting_clients() const { return waits_.waiting_clients(); }
  // nullptr if there is no such key. Valid until the next call of a member that is not const.
  const std::string* ValueOf(absl::string_view key) const { return keys_.Find(key); }
  // Of waits that had to wait and were released: how long they did.
  const DurationHistogram& waiting_times() const { return waiting_times_; }
  // As WaitList::Pending.
  std::vector<PendingWait> PendingWaits(size_t waits_max, size_t names_max) const {
    return waits_.Pending(waits_max, names_max);
  }
  // Who told which rank it is.
  const RankList& ranks() const { return ranks_; }
  size_t client_count() const { return clients_.size(); }
  // No key, not even a hidden one, and no queue.
  bool holds_nothing() const { return keys_.empty(); }

 private:
  // One request on its way through the engine.
  struct Call {
    ClientId from;
    bool legacy;
    protocol::Request& request;
    Replies& replies;
    int64_t members = 1;  // That a barrier counts.

    std::string& key() { return request.keys[0]; }
    protocol::Reply& Say(protocol::ReplyKind kind);
    void SayNumber(int64_t number);
    void SaySignal(uint8_t signal);
    void SayBytes(absl::string_view text);
    void HangUp(std::string reason);
  };

  // --- store_engine_limits.cc ---
  // By how much a request would have the store grow; less than 0 if it would shrink. Keys or names
  // that come twice in one request count twice.
  struct Growth {
    int64_t bytes = 0;
    int64_t keys = 0;
  };
  Growth GrowthOf(const Call& call) const;
  void AddValueGrowth(absl::string_view key, size_t value_bytes, Growth& growth) const;
  void AddCounterGrowth(const Call& call, Growth& growth) const;
  static void AddWaitGrowth(absl::string_view name, Growth& growth);
  // False if there is no room for it: then the call has been hung up.
  bool HasRoomFor(Call& call);
  std::string WhyFull(const Call& call, const Growth& growth) const;
  std::string Place() const;  // "the name space ...".
  size_t keys_of_limit() const { return keys_.visible_key_count() + keys_.queue_count(); }
  size_t own_memory_bytes() const {
    return keys_.memory_bytes() + waits_.memory_bytes() + watches_.memory_bytes();
  }
  // Tells the budget.
  void Account();

  // Calls `work` with the call, unless `from` is not known: then it is hung up on.
  template <typename Work>
  void Admit(ClientId from, protocol::Request& request, absl::Time now, Replies& replies,
             int64_t members, Work work);
  void Dispatch(Call& call);
  void Ping(Call& call);
  void Set(Call& call);
  void MultiSet(Call& call);
  void CompareSet(Call& call);
  void Add(Call& call);
  void Append(Call& call);
  void Get(Call& call);
  void MultiGet(Call& call);
  void Check(Call& call);
  void Wait(Call& call);
  void CancelWait(Call& call);
  void DeleteKey(Call& call);
  void ListKeys(Call& call);
  void QueuePush(Call& call);
  void QueuePop(Call& call);
  void Barrier(Call& call);
  void WatchKey(Call& call);

  void Write(std::string&& key, std::string&& value, Replies& replies);
  // Reads the entry as a counter, adds and writes it back. False if it holds no number: then the
  // call has been hung up and nothing has changed.
  bool AddTo(const KeySpace::Entry& entry, int64_t delta, Call& call, int64_t& sum);

  // The two halves around every change of a key. The first gives a copy of the old value if
  // somebody watches the key, else nullptr; the second releases who waited and tells who watches.
  const std::string* OldValueForWatchers(const KeySpace::Entry& entry);
  void Changed(const KeySpace::Entry& entry, const std::string* old_value, uint8_t event,
               Replies& replies);
  void TellWatchers(uint8_t event, absl::string_view key, absl::string_view old_value,
                    absl::string_view new_value, Replies& replies);
  // Says STOP_WAITING to all in released_.
  void AnswerReleased(Replies& replies);
  // True if `client` may have one more wait pending; else it has been hung up.
  bool AdmitsWait(Call& call, size_t name_bytes);

  // Keeps `text` alive until the next call, for replies about what is no longer in keys_.
  const std::string& Keep(std::string text);

  const std::string name_;
  const StoreLimits limits_ = {};
  MemoryBudget* const budget_ = nullptr;
  size_t accounted_bytes_ = 0;  // What the budget knows of.
  size_t bytes_besides_ = 0;
  const bool is_limited_ = false;

  KeySpace keys_;
  WaitList waits_;
  WatchList watches_;
  RankList ranks_;
  absl::flat_hash_map<ClientId, protocol::Dialect> clients_;
  std::deque<std::string> kept_;
  absl::Time now_;  // Of the call at hand.
  DurationHistogram waiting_times_{&kWaitingTimes};
  std::vector<Released> released_;  // Empty between calls; a member to keep its memory.
};

}  // namespace rollcall::engine

#endif  // ROLLCALL_STORE_ENGINE_STORE_ENGINE_H_
