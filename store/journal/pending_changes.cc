#include "store/journal/pending_changes.h"

#include <algorithm>
#include <iterator>

namespace rollcall {

using Kind = JournalChange::Kind;

void PendingChanges::KeyChanged(absl::string_view key) {
  // Most often the key of a busy counter, which is there.
  if (!keys_.contains(key)) keys_.emplace(key);
}

void PendingChanges::Pushed(absl::string_view queue, absl::string_view element) {
  of_queues_.push_back({.kind = Kind::kPush,
                        .space = space_,
                        .name = std::string(queue),
                        .value = std::string(element)});
}

void PendingChanges::Popped(absl::string_view queue) {
  of_queues_.push_back(
      {.kind = Kind::kPop, .space = space_, .name = std::string(queue), .value = {}});
}

void PendingChanges::Take(const engine::StoreEngine* engine, std::vector<JournalChange>& changes) {
  for (const std::string& key : keys_) {
    const std::string* const value = engine == nullptr ? nullptr : engine->ValueOf(key);
    changes.push_back({.kind = value == nullptr ? Kind::kEraseKey : Kind::kSetKey,
                       .space = space_,
                       .name = key,
                       .value = value == nullptr ? std::string() : *value});
  }
  keys_.clear();
  std::move(of_queues_.begin(), of_queues_.end(), std::back_inserter(changes));
  of_queues_.clear();
}

}  // namespace rollcall
