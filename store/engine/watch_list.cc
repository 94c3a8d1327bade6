#include "store/engine/watch_list.h"

#include <iterator>
#include <utility>

#include "store/engine/table_memory.h"

namespace rollcall::engine {

bool WatchList::Add(ClientId client, std::string key) {
  std::vector<Registration>& registrations = registrations_[client];
  if (registrations.size() >= kWatchesMax) return false;
  memory_bytes_ += kWatchOverheadBytes + key.size();
  Table::value_type& entry = *watchers_.try_emplace(std::move(key)).first;
  entry.second.push_back(client);
  registrations.push_back({&entry, std::prev(entry.second.end())});
  return true;
}

const std::list<ClientId>* WatchList::Watchers(absl::string_view key) const {
  if (watchers_.empty()) return nullptr;
  const auto found = watchers_.find(key);
  return found == watchers_.end() ? nullptr : &found->second;
}

void WatchList::Drop(ClientId client) {
  if (registrations_.empty()) return;
  const auto found = registrations_.find(client);
  if (found == registrations_.end()) return;
  for (const Registration& registration : found->second) {
    memory_bytes_ -= kWatchOverheadBytes + registration.key->first.size();
    registration.key->second.erase(registration.place);
    if (registration.key->second.empty()) watchers_.erase(watchers_.find(registration.key->first));
  }
  registrations_.erase(found);
  ReleaseSpareCapacity(watchers_);
  ReleaseSpareCapacity(registrations_);
}

}  // namespace rollcall::engine
