// Who waits at a front for what, and what they learn from two sides: their own look at etcd, and
// the watch, which tells of every change but may be behind. Knows names, clients and revisions; no
// network, no clock.
#ifndef ROLLCALL_STORE_FRONT_FRONT_WAITS_H_
#define ROLLCALL_STORE_FRONT_FRONT_WAITS_H_

#include <cstddef>
#include <cstdint>
#include <list>
#include <map>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/node_hash_map.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "store/engine/client_id.h"
#include "store/engine/wait_list.h"

namespace rollcall::front {

using WaitId = uint64_t;  // 0 is none.

// A wait is listed before it looks whether its names are there, so that nothing can happen between
// the look and the listing. What the watch tells meanwhile counts if it is of a later revision than
// the look: the change of a key that was gone again before the wait began must not release it,
// however late it is told. Not thread-safe.
class FrontWaits {
 public:
  // False if one more wait on names of `name_bytes` bytes in all would be too much for `client`:
  // the limits are those of the engine in memory.
  bool HasRoom(engine::ClientId client, size_t name_bytes) const;

  // `client` waits for all of `names`, or in a barrier until its counter is at `world_size`; it is
  // about to look.
  WaitId Begin(engine::ClientId client, std::vector<std::string> names, absl::Time now);
  WaitId BeginBarrier(engine::ClientId client, std::string counter, int64_t world_size,
                      absl::Time now);
  // What the look at the index-th of the names (a barrier has one, its counter) has found: that it
  // was there (that the barrier is full), or was not as of `revision`. Of waits that are no more,
  // nothing.
  void Looked(WaitId wait, size_t index, bool is_there, int64_t revision);
  // After all of a wait's looks: whether it is over. Then it is off the list; false of one that is
  // no more.
  bool IsOver(WaitId wait);

  // The watch tells that a key has been put: by that the waits that are appended to `released` are
  // over, and off the list.
  void KeyPut(absl::string_view key, absl::string_view value, int64_t revision,
              std::vector<engine::Released>& released);
  // Likewise of a queue's element. One that waits for it is released, or all that still look.
  void ElementPut(absl::string_view queue, int64_t revision,
                  std::vector<engine::Released>& released);
  // That a name has been seen to be there, by somebody's look at `revision`: releases all who wait
  // for it.
  void IsThere(absl::string_view name, int64_t revision, std::vector<engine::Released>& released);

  // Forgets all waits of `client`. False if there were none.
  bool Drop(engine::ClientId client);

  // What is awaited: names of keys or queues, and counters of barriers.
  std::vector<std::string> AwaitedNames() const;
  std::vector<std::string> AwaitedBarriers() const;

  bool IsWaiting(engine::ClientId client) const { return waits_of_.contains(client); }
  size_t waiting_clients() const { return waits_of_.size(); }
  size_t size() const { return waits_.size(); }
  // As engine::WaitList::Pending; names are valid until the next change.
  std::vector<engine::PendingWait> Pending(size_t waits_max, size_t names_max) const;

 private:
  struct Wait;
  // One wait's interest in one name.
  struct Interest {
    enum State { kLooks, kIsMissing, kSeen };
    Wait* wait = nullptr;
    const std::string* name = nullptr;
    State state = kLooks;
    // kIsMissing: the revision at which it was missing; kLooks: the last one at which the watch
    // told that it was there.
    int64_t revision = 0;
    std::list<Interest*>::iterator place = {};
  };
  struct Wait {
    WaitId id = 0;
    engine::ClientId client = 0;
    bool at_barrier = false;
    int64_t world_size = 0;
    absl::Time since;
    size_t name_bytes = 0;
    size_t unseen = 0;
    std::vector<Interest> interests;  // Never moves once they are listed.
  };
  using Table = absl::node_hash_map<std::string, std::list<Interest*>>;

  Table& TableOf(const Wait& wait) { return wait.at_barrier ? barriers_ : names_; }
  Wait& Add(engine::ClientId client, std::vector<std::string> names, absl::Time now,
            bool at_barrier);
  // Takes it off its name's list.
  void See(Interest& interest);
  // The watch has told of it. True if the wait is over by that.
  bool Tell(Interest& interest, int64_t revision);
  void Remove(Wait& wait);
  void Release(Wait& wait, std::vector<engine::Released>& released);
  // Tells those on the list of `name` for whom `concerns` is true; those with whom it ends are
  // released. Stops with the first of them if `one`.
  template <typename Concerns>
  void TellAll(Table& table, absl::string_view name, int64_t revision, bool one, Concerns concerns,
               std::vector<engine::Released>& released);

  WaitId last_id_ = 0;
  std::map<WaitId, Wait> waits_;  // In the order in which they began.
  absl::flat_hash_map<engine::ClientId, std::vector<WaitId>> waits_of_;
  Table names_;  // No list in them is empty.
  Table barriers_;
};

}  // namespace rollcall::front

#endif  // ROLLCALL_STORE_FRONT_FRONT_WAITS_H_
