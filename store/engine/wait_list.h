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
#include "store/engine/client_id.h"

namespace rollcall::engine {

// A client that never reads its answers could pile up waits without end; no torch client ever has
// more than one pending.
inline constexpr size_t kPendingWaitsMax = 64;
// Applies to a client's second and later waits: the first is bounded by what one request may hold.
inline constexpr size_t kAwaitedBytesMax = size_t{256} << 20;

// Every pending wait is released once: it is off all lists at that moment. Whoever came first is
// released first. An event about a name costs one look-up plus the waits on that very name; the
// end of a client costs what that client had registered. Not thread-safe.
class WaitList {
 public:
  // False if one more wait on names of `name_bytes` bytes in all would be too much for `client`.
  bool HasRoom(ClientId client, size_t name_bytes) const;

  // `client` waits until each of `names` has appeared; duplicates count once. There must be at
  // least one. A client may have several waits pending: each is released by itself.
  void AwaitNames(ClientId client, std::vector<std::string> names);
  // `client` waits until the barrier is full. Barriers and names that are spelled alike are
  // different things.
  void AwaitBarrier(ClientId client, std::string barrier);

  // A key was created: it counts as seen by all who wait for it. As in all three: those whose wait
  // is over by that are appended to `released`, a client once per wait.
  void KeyCreated(absl::string_view key, std::vector<ClientId>& released);
  // An element was pushed: it releases one client at most, so that one element does not wake a
  // crowd that would fight over it. Waits before it that still lack other names have seen the queue
  // too; those behind it have not.
  void ElementPushed(absl::string_view queue, std::vector<ClientId>& released);
  // All who wait at the barrier are released.
  void BarrierFull(absl::string_view barrier, std::vector<ClientId>& released);

  // Forgets all waits of `client`, of either kind.
  void Drop(ClientId client);

  size_t waiting_clients() const { return waits_of_.size(); }
  size_t awaited_names() const { return tables_[kNames].size() + tables_[kBarriers].size(); }

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
    size_t name_bytes = 0;
    size_t unseen = 0;
    absl::InlinedVector<Registration, 1> registrations;  // Never moves once linked.
  };
  using Waits = absl::InlinedVector<std::unique_ptr<Wait>, 1>;

  Wait& AddWait(ClientId client, TableIndex table, size_t name_count);
  void Register(Wait& wait, std::string name);
  static void Unlink(Registration& registration);
  void EraseIfUnawaited(Table& table, Table::iterator name);
  // Takes the first in the queue out of it; true if that ended its wait.
  bool SeeFirst(Queue& queue, std::vector<ClientId>& released);
  void ReleaseAll(TableIndex table, absl::string_view name, std::vector<ClientId>& released);
  void EndWait(Wait& wait);

  std::array<Table, 2> tables_;  // By TableIndex. No queue in them is empty.
  absl::flat_hash_map<ClientId, Waits> waits_of_;
};

}  // namespace rollcall::engine

#endif  // ROLLCALL_STORE_ENGINE_WAIT_LIST_H_
