#include "store/front/front_waits.h"

#include <algorithm>
#include <utility>

#include "absl/status/statusor.h"
#include "store/engine/key_space.h"

namespace rollcall::front {

bool FrontWaits::HasRoom(engine::ClientId client, size_t name_bytes) const {
  const auto waits = waits_of_.find(client);
  if (waits == waits_of_.end()) return true;
  if (waits->second.size() >= engine::kPendingWaitsMax) return false;
  for (const WaitId id : waits->second) name_bytes += waits_.at(id).name_bytes;
  return name_bytes <= engine::kAwaitedBytesMax;
}

FrontWaits::Wait& FrontWaits::Add(engine::ClientId client, std::vector<std::string> names,
                                  absl::Time now, bool at_barrier) {
  const WaitId id = ++last_id_;
  Wait& wait = waits_[id];
  wait.id = id;
  wait.client = client;
  wait.at_barrier = at_barrier;
  wait.since = now;
  wait.unseen = names.size();
  wait.interests.resize(names.size());
  Table& table = TableOf(wait);
  for (size_t i = 0; i < names.size(); ++i) {
    wait.name_bytes += names[i].size();
    const auto entry = table.try_emplace(std::move(names[i])).first;
    Interest& interest = wait.interests[i];
    interest.wait = &wait;
    interest.name = &entry->first;
    interest.place = entry->second.insert(entry->second.end(), &interest);
  }
  waits_of_[client].push_back(id);
  return wait;
}

WaitId FrontWaits::Begin(engine::ClientId client, std::vector<std::string> names, absl::Time now) {
  return Add(client, std::move(names), now, /*at_barrier=*/false).id;
}

WaitId FrontWaits::BeginBarrier(engine::ClientId client, std::string counter, int64_t world_size,
                                absl::Time now) {
  Wait& wait = Add(client, {std::move(counter)}, now, /*at_barrier=*/true);
  wait.world_size = world_size;
  return wait.id;
}

void FrontWaits::See(Interest& interest) {
  if (interest.state == Interest::kSeen) return;
  interest.state = Interest::kSeen;
  --interest.wait->unseen;
  Table& table = TableOf(*interest.wait);
  const auto entry = table.find(*interest.name);
  entry->second.erase(interest.place);
  if (entry->second.empty()) table.erase(entry);
}

void FrontWaits::Looked(WaitId id, size_t index, bool is_there, int64_t revision) {
  const auto wait = waits_.find(id);
  if (wait == waits_.end()) return;
  Interest& interest = wait->second.interests.at(index);
  if (is_there || interest.revision > revision) return See(interest);
  if (interest.state == Interest::kSeen) return;
  interest.state = Interest::kIsMissing;
  interest.revision = revision;
}

bool FrontWaits::IsOver(WaitId id) {
  const auto wait = waits_.find(id);
  if (wait == waits_.end() || wait->second.unseen > 0) return false;
  Remove(wait->second);
  return true;
}

bool FrontWaits::Tell(Interest& interest, int64_t revision) {
  if (interest.state == Interest::kLooks) {
    interest.revision = std::max(interest.revision, revision);
    return false;
  }
  if (revision <= interest.revision) return false;
  See(interest);
  return interest.wait->unseen == 0;
}

template <typename Concerns>
void FrontWaits::TellAll(Table& table, absl::string_view name, int64_t revision, bool one,
                         Concerns concerns, std::vector<engine::Released>& released) {
  const auto entry = table.find(name);
  if (entry == table.end()) return;
  // A copy: the list changes, and goes with its last.
  const std::vector<Interest*> interests(entry->second.begin(), entry->second.end());
  bool enough = false;
  for (Interest* const interest : interests) {
    // Who still looks may have looked before: it is told in any case.
    if (enough && interest->state != Interest::kLooks) continue;
    if (!concerns(*interest->wait) || !Tell(*interest, revision)) continue;
    Release(*interest->wait, released);
    enough = one;
  }
}

void FrontWaits::KeyPut(absl::string_view key, absl::string_view value, int64_t revision,
                        std::vector<engine::Released>& released) {
  TellAll(
      names_, key, revision, /*one=*/false, [](const Wait&) { return true; }, released);
  if (!barriers_.contains(key)) return;
  const absl::StatusOr<int64_t> came = engine::ParseCounter(value);
  if (!came.ok()) return;
  const auto is_full = [&](const Wait& wait) { return *came >= wait.world_size; };
  TellAll(barriers_, key, revision, /*one=*/false, is_full, released);
}

void FrontWaits::ElementPut(absl::string_view queue, int64_t revision,
                            std::vector<engine::Released>& released) {
  TellAll(
      names_, queue, revision, /*one=*/true, [](const Wait&) { return true; }, released);
}

void FrontWaits::IsThere(absl::string_view name, int64_t revision,
                         std::vector<engine::Released>& released) {
  TellAll(
      names_, name, revision, /*one=*/false, [](const Wait&) { return true; }, released);
}

void FrontWaits::Release(Wait& wait, std::vector<engine::Released>& released) {
  released.push_back({.client = wait.client, .since = wait.since});
  Remove(wait);
}

void FrontWaits::Remove(Wait& wait) {
  for (Interest& interest : wait.interests) See(interest);
  const auto waits = waits_of_.find(wait.client);
  waits->second.erase(std::find(waits->second.begin(), waits->second.end(), wait.id));
  if (waits->second.empty()) waits_of_.erase(waits);
  waits_.erase(wait.id);
}

bool FrontWaits::Drop(engine::ClientId client) {
  const auto waits = waits_of_.find(client);
  if (waits == waits_of_.end()) return false;
  const std::vector<WaitId> ids = waits->second;
  for (const WaitId id : ids) Remove(waits_.at(id));
  return true;
}

std::vector<std::string> FrontWaits::AwaitedNames() const {
  std::vector<std::string> names;
  for (const auto& [name, interests] : names_) names.push_back(name);
  return names;
}

std::vector<std::string> FrontWaits::AwaitedBarriers() const {
  std::vector<std::string> counters;
  for (const auto& [counter, interests] : barriers_) counters.push_back(counter);
  return counters;
}

std::vector<engine::PendingWait> FrontWaits::Pending(size_t waits_max, size_t names_max) const {
  std::vector<engine::PendingWait> pending;
  for (const auto& [id, wait] : waits_) {
    if (pending.size() == waits_max) break;
    engine::PendingWait& one = pending.emplace_back();
    one.client = wait.client;
    one.since = wait.since;
    one.at_barrier = wait.at_barrier;
    one.missing = wait.unseen;
    for (const Interest& interest : wait.interests) {
      if (interest.state == Interest::kSeen) continue;
      if (one.names.size() < names_max) one.names.push_back(*interest.name);
    }
  }
  return pending;
}

}  // namespace rollcall::front
