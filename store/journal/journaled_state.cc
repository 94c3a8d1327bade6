#include "store/journal/journaled_state.h"

#include <algorithm>
#include <cstdint>
#include <utility>

#include "absl/strings/string_view.h"
#include "glog/logging.h"
#include "store/engine/store_engine.h"
#include "store/journal/journaled_port.h"
#include "store/server/loop_number.h"

namespace rollcall {

JournaledState::JournaledState(net::Env& env, size_t loops, const engine::NameSpaceLimits& limits)
    : owned_monitor(env.NewMonitor()),
      monitor(owned_monitor.get()),
      stores(limits),
      sessions([this](absl::string_view space, int64_t bytes)
                   ABSL_NO_THREAD_SAFETY_ANALYSIS { stores.AddBytesBesides(space, bytes); }) {
  CHECK_LE(loops, kServerLoopsMax);
  for (size_t i = 0; i < loops; ++i) ports.push_back(std::make_unique<JournaledPort>(this, env));
}

JournaledState::~JournaledState() = default;

void JournaledState::LogChanges() {
  stores.LogTo([this](absl::string_view name) ABSL_NO_THREAD_SAFETY_ANALYSIS {
    return &changes.try_emplace(std::string(name), std::string(name)).first->second;
  });
}

bool JournaledState::has_changes() const {
  if (sessions.has_changes()) return true;
  return std::any_of(changes.begin(), changes.end(),
                     [](const auto& entry) { return !entry.second.empty(); });
}

std::vector<JournalChange> JournaledState::BeginCommit(absl::Time now) {
  std::vector<JournalChange> taken;
  for (auto entry = changes.begin(); entry != changes.end();) {
    const engine::StoreEngine* const engine = stores.Find(entry->first);
    entry->second.Take(engine, taken);
    engine == nullptr ? entry = changes.erase(entry) : ++entry;
  }
  sessions.TakeChanges([&taken](JournalChange change) { taken.push_back(std::move(change)); });
  for (const auto& port : ports) port->BeginCommit();
  is_committing = true;
  commit_begun = now;
  return taken;
}

std::vector<JournaledPort*> JournaledState::EndCommit(const absl::Status& committed) {
  is_committing = false;
  failed = committed;
  // What was gathered meanwhile may then go with it.
  const bool all = !has_changes();
  std::vector<JournaledPort*> to_wake;
  for (const auto& port : ports) {
    if (!committed.ok()) port->DropAll();
    if (port->EndCommit(all) || !committed.ok()) to_wake.push_back(port.get());
  }
  return to_wake;
}

JournalFigures JournaledState::Figures(absl::Time now) const {
  JournalFigures told = figures;
  if (is_committing) told.under_way = now - commit_begun;
  for (const auto& port : ports) told.waiting_replies += port->waiting_replies();
  told.sessions = sessions.size();
  told.has_failed = !failed.ok();
  return told;
}

void JournaledState::PublishNumbers() {
  keys.store(stores.key_count(), std::memory_order_relaxed);
  waiting_clients.store(stores.waiting_clients(), std::memory_order_relaxed);
  memory_bytes.store(stores.budget().bytes_used, std::memory_order_relaxed);
}

}  // namespace rollcall
