// The legacy watch_key: who hears of every change of which key.
#ifndef ROLLCALL_STORE_ENGINE_WATCH_LIST_H_
#define ROLLCALL_STORE_ENGINE_WATCH_LIST_H_

#include <cstddef>
#include <list>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/node_hash_map.h"
#include "absl/strings/string_view.h"
#include "store/engine/client_id.h"

namespace rollcall::engine {

// Registrations of one client, over all keys. Each change of a key is told once per registration,
// so this bounds what one small request of somebody else can make the server say to one client.
inline constexpr size_t kWatchesMax = 1024;

// What each of them takes besides the key's bytes, about.
inline constexpr size_t kWatchOverheadBytes = 192;

// Not thread-safe.
class WatchList {
 public:
  // Registers once more, even if `client` watches `key` already: it will hear everything twice, as
  // on torch's server. False, and nothing changes, if it has kWatchesMax registrations.
  bool Add(ClientId client, std::string key);

  // In the order of registration; nullptr if nobody watches `key`. Valid until the next change.
  const std::list<ClientId>* Watchers(absl::string_view key) const;

  // Costs what `client` had registered.
  void Drop(ClientId client);

  bool IsWatching(ClientId client) const { return registrations_.contains(client); }
  // By the constant above; a key's bytes count once for each who watches it.
  size_t memory_bytes() const { return memory_bytes_; }
  size_t watched_keys() const { return watchers_.size(); }

 private:
  using Table = absl::node_hash_map<std::string, std::list<ClientId>>;
  struct Registration {
    Table::value_type* key;
    std::list<ClientId>::iterator place;
  };

  Table watchers_;  // No list in it is empty.
  absl::flat_hash_map<ClientId, std::vector<Registration>> registrations_;
  size_t memory_bytes_ = 0;
};

}  // namespace rollcall::engine

#endif  // ROLLCALL_STORE_ENGINE_WATCH_LIST_H_
