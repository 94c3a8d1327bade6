// What has been changed since the last commit was begun.
#ifndef ROLLCALL_STORE_JOURNAL_PENDING_CHANGES_H_
#define ROLLCALL_STORE_JOURNAL_PENDING_CHANGES_H_

#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/string_view.h"
#include "store/engine/change_log.h"
#include "store/engine/store_engine.h"
#include "store/journal/journal.h"

namespace rollcall {

// Of one engine. A key that is changed many times between two commits is written once, with its
// last value. Not thread-safe.
class PendingChanges final : public engine::ChangeLog {
 public:
  // `space`: what the changes are filed under.
  explicit PendingChanges(std::string space) : space_(std::move(space)) {}

  void KeyChanged(absl::string_view key) override;
  void Pushed(absl::string_view queue, absl::string_view element) override;
  void Popped(absl::string_view queue) override;

  bool empty() const { return keys_.empty() && of_queues_.empty(); }
  // Moves them to the end of `changes`; `engine` tells the values. nullptr: it has none any more.
  void Take(const engine::StoreEngine* engine, std::vector<JournalChange>& changes);

 private:
  const std::string space_;
  absl::flat_hash_set<std::string> keys_;
  std::vector<JournalChange> of_queues_;
};

}  // namespace rollcall

#endif  // ROLLCALL_STORE_JOURNAL_PENDING_CHANGES_H_
