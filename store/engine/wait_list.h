// Who waits for what, and whom an event releases. Knows names and clients, but no values.
#ifndef ROLLCALL_STORE_ENGINE_WAIT_LIST_H_
#define ROLLCALL_STORE_ENGINE_WAIT_LIST_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/inlined_vector.h"
#include "absl/container/node_hash_map.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "store/engine/client_id.h"

namespace rollcall::engine {

// A client that never reads its answers could pile up waits without end; no torch client ever has
// more than one pending.
inline constexpr size_t kPendingWaitsMax = 64;
// Applies to a client's second and later waits: the first is bounded by what one request may hold.
inline constexpr size_t kAwaitedBytesMax = size_t{256} << 20;

// What a wait, and each name that it lacks, take besides the names' bytes, about.
inline constexpr size_t kWaitOverheadBytes = 192;
inline constexpr size_t kAwaitedNameOverheadBytes = 128;  // Of a name that nobody else awaits.
inline constexpr size_t kAwaitingOverheadBytes = 48;      // Of one of those who await it.

// A wait that has ended, and when it began.
struct Released {
  ClientId client = 0;
  absl::Time since;
};

// A wait that has not, for those who ask who is held up by what.
struct PendingWait {
  ClientId client = 0;
  absl::Time since;
  bool at_barrier = false;
  // How many names it still lacks, and the first of them, in the order in which it gave them.
  size_t missing = 0;
  std::vector<absl::string_view> names;
};

// Every pending wait is released once: it is off all lists at that moment. Whoever came first is
// released first. An event about a name costs one look-up plus the waits on that very name; the
// end of a client costs what that client had registered. Not thread-safe.
class WaitList {
 public:
  // False if one more wait on names of `name_bytes` bytes in all would be too much for `client`.
  bool HasRoom(ClientId client, size_t name_bytes) const;

  // `client` waits until each of `names` has appeared; duplicates count once. There must be at
  // least one. A client may have several waits pending: each is released by itself. `now` is told
  // again by whom it releases, and by Pending.
  void AwaitNames(ClientId client, std::vector<std::string> names, absl::Time now);
  // `client` waits until the barrier is full. Barriers and names that are spelled alike are
  // different things.
  void AwaitBarrier(ClientId client, std::string barrier, absl::Time now);

  // A key was created: it counts as seen by all who wait for it. As in all three: those whose wait
  // is over by that are appended to `released`, a client once per wait.
  void KeyCreated(absl::string_view key, std::vector<Released>& released);
  // An element was pushed: it releases one client at most, so that one element does not wake a
  // crowd that would fight over it. Waits before it that still lack other names have seen the queue
  // too; those behind it have not.
  void ElementPushed(absl::string_view queue, std::vector<Released>& released);
  // All who wait at the barrier are released.
  void BarrierFull(absl::string_view barrier, std::vector<Released>& released);

  // Forgets all waits of `client`, of either kind.
  void Drop(ClientId client);

  // The waits pending, who has waited longest first, `waits_max` of them at most, each with its
  // first `names_max` names. The names are valid until the next change. Costs a walk over all.
  std::vector<PendingWait> Pending(size_t waits_max, size_t names_max) const;

  bool IsWaiting(ClientId client) const { return waits_of_.contains(client); }
  size_t waiting_clients() const { return waits_of_.size(); }
  size_t awaited_names() const { return tables_[kNames].size() + tables_[kBarriers].size(); }
  // By the constants above.
  size_t memory_bytes() const { return memory_bytes_; }

 private:
  enum TableIndex : uint8_t { kNames, kBarriers };
  struct Wait;
  struct Registration;
  struct Queue {
    Registration* first = nullptr;
    Registration* last = nullptr;
  };
  using Table = absl::node_hash_map<std::string, Queue>;
  // One wait's place in one name's queue. It lives in its Wait and is linked into the queue.
  struct Registration {
    Wait* wait = nullptr;
    Table::value_type* name = nullptr;  // Nullptr once it has been seen.
    Registration* previous = nullptr;
    Registration* next = nullptr;
  };
  struct Wait {
    ClientId client = 0;
    TableIndex table = kNames;
    absl::Time since;
    size_t name_bytes = 0;
    size_t unseen = 0;
    absl::InlinedVector<Registration, 1> registrations;  // Never moves once linked.
  };
  using Waits = absl::InlinedVector<std::unique_ptr<Wait>, 1>;

  Wait& AddWait(ClientId client, TableIndex table, size_t name_count, absl::Time now);
  void Register(Wait& wait, std::string name);
  static size_t OwnBytes(const Wait& wait);
  static void Unlink(Registration& registration);
  void EraseIfUnawaited(Table& table, Table::iterator name);
  // Takes the first in the queue out of it; true if that ended its wait.
  bool SeeFirst(Queue& queue, std::vector<Released>& released);
  void ReleaseAll(TableIndex table, absl::string_view name, std::vector<Released>& released);
  void EndWait(Wait& wait);

  std::array<Table, 2> tables_;  // By TableIndex. No queue in them is empty.
  absl::flat_hash_map<ClientId, Waits> waits_of_;
  size_t memory_bytes_ = 0;
};

}  // namespace rollcall::engine

#endif  // ROLLCALL_STORE_ENGINE_WAIT_LIST_H_
