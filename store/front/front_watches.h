// The legacy watch_key at a front: who hears of every change of which key, from when on. Knows no
// network.
#ifndef ROLLCALL_STORE_FRONT_FRONT_WATCHES_H_
#define ROLLCALL_STORE_FRONT_FRONT_WATCHES_H_

#include <cstddef>
#include <cstdint>
#include <list>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/node_hash_map.h"
#include "absl/strings/string_view.h"
#include "store/engine/client_id.h"

namespace rollcall::front {

using RegistrationId = uint64_t;  // 0 is none.

// A registration is listed before it is known from which revision on it hears: what the watch tells
// meanwhile is kept for it. Not thread-safe.
class FrontWatches {
 public:
  // 0 if the client has as many as the engine in memory allows.
  RegistrationId Add(engine::ClientId client, std::string key);
  // It hears of what is later than `revision`: gives what has been kept of that, in order. Nothing
  // of one that is no more.
  std::vector<std::string> HearsFrom(RegistrationId registration, int64_t revision);
  // A change of `key`, encoded by `event` if anybody hears of it: who is told now, once for each
  // registration.
  template <typename Encode>
  std::vector<engine::ClientId> Tell(absl::string_view key, int64_t revision, Encode encode,
                                     std::string& event);
  void Drop(engine::ClientId client);

  bool IsWatching(engine::ClientId client) const { return by_client_.contains(client); }
  // Everybody who has registered.
  std::vector<engine::ClientId> Clients() const;

 private:
  struct Registration {
    RegistrationId id = 0;
    engine::ClientId client = 0;
    bool hears = false;
    int64_t from_revision = 0;
    std::vector<std::pair<int64_t, std::string>> kept = {};
  };
  using Table = absl::node_hash_map<std::string, std::list<Registration>>;
  struct Place {
    Table::value_type* key = nullptr;
    std::list<Registration>::iterator registration;
  };

  RegistrationId last_id_ = 0;
  Table by_key_;  // No list in it is empty.
  absl::flat_hash_map<engine::ClientId, std::vector<Place>> by_client_;
  absl::flat_hash_map<RegistrationId, std::list<Registration>::iterator> by_id_;
};

template <typename Encode>
std::vector<engine::ClientId> FrontWatches::Tell(absl::string_view key, int64_t revision,
                                                 Encode encode, std::string& event) {
  std::vector<engine::ClientId> told;
  const auto entry = by_key_.find(key);
  if (entry == by_key_.end()) return told;
  event = encode();
  for (Registration& registration : entry->second) {
    if (!registration.hears) {
      registration.kept.emplace_back(revision, event);
    } else if (revision > registration.from_revision) {
      told.push_back(registration.client);
    }
  }
  return told;
}

}  // namespace rollcall::front

#endif  // ROLLCALL_STORE_FRONT_FRONT_WATCHES_H_
