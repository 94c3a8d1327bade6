#include "store/server/session_table.h"

#include <utility>

#include "glog/logging.h"

namespace rollcall {

size_t SessionTable::NextSlot() const {
  return free_slots_.empty() ? slots_.size() : free_slots_.back();
}

engine::ClientId SessionTable::NextId(uint64_t arrival) const {
  return MakeClientId(arrival, loop_, NextSlot());
}

Session& SessionTable::Add(std::unique_ptr<Session> session) {
  const size_t slot = NextSlot();
  CHECK_EQ(SlotOf(session->id()), slot);
  CHECK_LT(size(), kSessionsMax);
  if (free_slots_.empty()) {
    slots_.push_back(std::move(session));
  } else {
    free_slots_.pop_back();
    slots_[slot] = std::move(session);
  }
  return *slots_[slot];
}

Session* SessionTable::Find(engine::ClientId id) const {
  const size_t slot = SlotOf(id);
  if (slot >= slots_.size()) return nullptr;
  Session* const session = slots_[slot].get();
  return session != nullptr && session->id() == id ? session : nullptr;
}

std::unique_ptr<Session> SessionTable::Remove(const Session& session) {
  const size_t slot = SlotOf(session.id());
  CHECK(Find(session.id()) == &session);
  free_slots_.push_back(static_cast<uint32_t>(slot));
  std::unique_ptr<Session> removed = std::move(slots_[slot]);
  if (size() == 0) {
    slots_.clear();
    slots_.shrink_to_fit();
    free_slots_.clear();
    free_slots_.shrink_to_fit();
  }
  return removed;
}

std::vector<Session*> SessionTable::All() const {
  std::vector<Session*> all;
  all.reserve(size());
  for (const std::unique_ptr<Session>& session : slots_) {
    if (session != nullptr) all.push_back(session.get());
  }
  return all;
}

}  // namespace rollcall
