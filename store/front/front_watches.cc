#include "store/front/front_watches.h"

#include "store/engine/watch_list.h"

namespace rollcall::front {

RegistrationId FrontWatches::Add(engine::ClientId client, std::string key) {
  std::vector<Place>& places = by_client_[client];
  if (places.size() >= engine::kWatchesMax) return 0;
  Table::value_type& entry = *by_key_.try_emplace(std::move(key)).first;
  const RegistrationId id = ++last_id_;
  const auto registration =
      entry.second.insert(entry.second.end(), Registration{.id = id, .client = client});
  places.push_back({.key = &entry, .registration = registration});
  by_id_.emplace(id, registration);
  return id;
}

std::vector<std::string> FrontWatches::HearsFrom(RegistrationId id, int64_t revision) {
  std::vector<std::string> events;
  const auto found = by_id_.find(id);
  if (found == by_id_.end()) return events;
  Registration& registration = *found->second;
  registration.hears = true;
  registration.from_revision = revision;
  for (auto& [at, event] : std::exchange(registration.kept, {})) {
    if (at > revision) events.push_back(std::move(event));
  }
  return events;
}

void FrontWatches::Drop(engine::ClientId client) {
  const auto places = by_client_.find(client);
  if (places == by_client_.end()) return;
  for (const Place& place : places->second) {
    by_id_.erase(place.registration->id);
    place.key->second.erase(place.registration);
    if (place.key->second.empty()) by_key_.erase(place.key->first);
  }
  by_client_.erase(places);
}

std::vector<engine::ClientId> FrontWatches::Clients() const {
  std::vector<engine::ClientId> clients;
  for (const auto& [client, places] : by_client_) clients.push_back(client);
  return clients;
}

}  // namespace rollcall::front
