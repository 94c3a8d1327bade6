#include "store/engine/wait_list.h"

#include <algorithm>
#include <cstddef>
#include <memory>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "store/engine/table_memory.h"

namespace rollcall::engine {

bool WaitList::HasRoom(ClientId client, size_t name_bytes) const {
  const auto found = waits_of_.find(client);
  if (found == waits_of_.end()) return true;
  size_t bytes = name_bytes;
  for (const std::unique_ptr<Wait>& wait : found->second) bytes += wait->name_bytes;
  return found->second.size() < kPendingWaitsMax && bytes <= kAwaitedBytesMax;
}

void WaitList::AwaitNames(ClientId client, std::vector<std::string> names, absl::Time now) {
  Wait& wait = AddWait(client, kNames, names.size(), now);
  for (std::string& name : names) Register(wait, std::move(name));
}

void WaitList::AwaitBarrier(ClientId client, std::string barrier, absl::Time now) {
  Register(AddWait(client, kBarriers, 1, now), std::move(barrier));
}

void WaitList::KeyCreated(absl::string_view key, std::vector<Released>& released) {
  ReleaseAll(kNames, key, released);
}

void WaitList::BarrierFull(absl::string_view barrier, std::vector<Released>& released) {
  ReleaseAll(kBarriers, barrier, released);
}

void WaitList::ElementPushed(absl::string_view queue, std::vector<Released>& released) {
  Table& table = tables_[kNames];
  if (table.empty()) return;
  const auto name = table.find(queue);
  if (name == table.end()) return;
  while (name->second.first != nullptr && !SeeFirst(name->second, released)) {
  }
  EraseIfUnawaited(table, name);
}

void WaitList::Drop(ClientId client) {
  if (waits_of_.empty()) return;
  const auto found = waits_of_.find(client);
  if (found == waits_of_.end()) return;
  for (const std::unique_ptr<Wait>& wait : found->second) {
    Table& table = tables_[wait->table];
    for (Registration& registration : wait->registrations) {
      if (registration.name == nullptr) continue;
      const Table::value_type& name = *registration.name;
      Unlink(registration);
      // Most often others wait for it too, and it need not be looked up.
      if (name.second.first == nullptr) EraseIfUnawaited(table, table.find(name.first));
    }
    memory_bytes_ -= OwnBytes(*wait);
  }
  waits_of_.erase(found);
  ReleaseSpareCapacity(waits_of_);
}

std::vector<PendingWait> WaitList::Pending(size_t waits_max, size_t names_max) const {
  std::vector<const Wait*> waits;
  waits.reserve(waits_of_.size());
  for (const auto& [client, waits_of_client] : waits_of_) {
    for (const std::unique_ptr<Wait>& wait : waits_of_client) waits.push_back(wait.get());
  }
  // By client too: a hash table's own order differs from run to run.
  const size_t count = std::min(waits_max, waits.size());
  std::partial_sort(waits.begin(), waits.begin() + static_cast<std::ptrdiff_t>(count), waits.end(),
                    [](const Wait* a, const Wait* b) {
                      return std::tie(a->since, a->client) < std::tie(b->since, b->client);
                    });
  std::vector<PendingWait> pending(count);
  for (size_t i = 0; i < count; ++i) {
    const Wait& wait = *waits[i];
    pending[i] = {wait.client, wait.since, wait.table == kBarriers, wait.unseen, {}};
    for (const Registration& registration : wait.registrations) {
      if (pending[i].names.size() == names_max) break;
      if (registration.name != nullptr) pending[i].names.push_back(registration.name->first);
    }
  }
  return pending;
}

WaitList::Wait& WaitList::AddWait(ClientId client, TableIndex table, size_t name_count,
                                  absl::Time now) {
  auto wait = std::make_unique<Wait>();
  wait->client = client;
  wait->table = table;
  wait->since = now;
  wait->registrations.reserve(name_count);
  memory_bytes_ += OwnBytes(*wait);
  Waits& waits = waits_of_[client];
  waits.push_back(std::move(wait));
  return *waits.back();
}

size_t WaitList::OwnBytes(const Wait& wait) {
  return kWaitOverheadBytes + kAwaitingOverheadBytes * wait.registrations.size();
}

void WaitList::Register(Wait& wait, std::string name) {
  const size_t name_bytes = name.size();
  const auto [place, is_new] = tables_[wait.table].try_emplace(std::move(name));
  if (is_new) memory_bytes_ += kAwaitedNameOverheadBytes + name_bytes;
  Table::value_type& entry = *place;
  Queue& queue = entry.second;
  // A duplicate: nobody else can have come between it and its twin.
  if (queue.last != nullptr && queue.last->wait == &wait) return;
  Registration& registration = wait.registrations.emplace_back();
  registration.wait = &wait;
  registration.name = &entry;
  registration.previous = queue.last;
  (queue.last == nullptr ? queue.first : queue.last->next) = &registration;
  queue.last = &registration;
  memory_bytes_ += kAwaitingOverheadBytes;
  wait.name_bytes += name_bytes;
  ++wait.unseen;
}

void WaitList::Unlink(Registration& registration) {
  Queue& queue = registration.name->second;
  (registration.previous == nullptr ? queue.first : registration.previous->next) =
      registration.next;
  (registration.next == nullptr ? queue.last : registration.next->previous) = registration.previous;
  registration.name = nullptr;
}

void WaitList::EraseIfUnawaited(Table& table, Table::iterator name) {
  if (name->second.first != nullptr) return;
  memory_bytes_ -= kAwaitedNameOverheadBytes + name->first.size();
  table.erase(name);
  ReleaseSpareCapacity(table);
}

bool WaitList::SeeFirst(Queue& queue, std::vector<Released>& released) {
  Registration& registration = *queue.first;
  Wait& wait = *registration.wait;
  Unlink(registration);
  if (--wait.unseen > 0) return false;
  released.push_back({wait.client, wait.since});
  EndWait(wait);
  return true;
}

void WaitList::ReleaseAll(TableIndex index, absl::string_view name,
                          std::vector<Released>& released) {
  Table& table = tables_[index];
  if (table.empty()) return;
  const auto found = table.find(name);
  if (found == table.end()) return;
  while (found->second.first != nullptr) SeeFirst(found->second, released);
  EraseIfUnawaited(table, found);
}

void WaitList::EndWait(Wait& wait) {
  memory_bytes_ -= OwnBytes(wait);
  const auto found = waits_of_.find(wait.client);
  Waits& waits = found->second;
  if (waits.size() > 1) {
    waits.erase(std::find_if(waits.begin(), waits.end(),
                             [&wait](const auto& other) { return other.get() == &wait; }));
    return;
  }
  waits_of_.erase(found);
  ReleaseSpareCapacity(waits_of_);
}

}  // namespace rollcall::engine
