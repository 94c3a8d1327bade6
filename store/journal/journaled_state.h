// What a JournaledEngine's ports and the thread that writes its journal share.
#ifndef ROLLCALL_STORE_JOURNAL_JOURNALED_STATE_H_
#define ROLLCALL_STORE_JOURNAL_JOURNALED_STATE_H_

#include <atomic>
#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/time/time.h"
#include "net/env.h"
#include "net/monitor.h"
#include "store/engine/name_spaces.h"
#include "store/journal/journal.h"
#include "store/journal/pending_changes.h"
#include "store/journal/session_book.h"
#include "store/server/journal_figures.h"

namespace rollcall {

class JournaledPort;

// The engine in memory, and what of it the journal lacks. As in a SharedEngine, a batch holds the
// one lock from Begin to End.
struct JournaledState {
  // With as many ports as there are loops.
  JournaledState(net::Env& env, size_t loops, const engine::NameSpaceLimits& limits);
  ~JournaledState();

  // Says that the lock is held where the analysis cannot see it: behind an EnginePort, from Begin
  // to End, and of another port's members.
  void AssertLocked() const ABSL_ASSERT_EXCLUSIVE_LOCK(monitor) {}

  // What is changed from here on is to be written.
  void LogChanges() ABSL_EXCLUSIVE_LOCKS_REQUIRED(monitor);
  bool has_changes() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(monitor);
  // Nothing that was applied is missing in the journal.
  bool is_clean() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(monitor) {
    return !is_committing && !has_changes();
  }
  // What the commit is to have that begins now.
  std::vector<JournalChange> BeginCommit(absl::Time now) ABSL_EXCLUSIVE_LOCKS_REQUIRED(monitor);
  // `committed`: what came of it. The ports whose loops are to be woken, without the lock.
  std::vector<JournaledPort*> EndCommit(const absl::Status& committed)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(monitor);
  // What is shown of the journal now.
  JournalFigures Figures(absl::Time now) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(monitor);
  // For whoever asks for numbers without the lock.
  void PublishNumbers() ABSL_EXCLUSIVE_LOCKS_REQUIRED(monitor);

  const std::unique_ptr<net::Monitor> owned_monitor;
  net::Monitor* const monitor;
  engine::NameSpaces stores ABSL_GUARDED_BY(monitor);
  // By name space; of one that is gone, until the next commit has begun.
  std::map<std::string, PendingChanges, std::less<>> changes ABSL_GUARDED_BY(monitor);
  SessionBook sessions ABSL_GUARDED_BY(monitor);
  bool is_committing ABSL_GUARDED_BY(monitor) = false;
  bool writer_waits ABSL_GUARDED_BY(monitor) = false;
  absl::Status failed ABSL_GUARDED_BY(monitor);
  // Those of the past; Figures adds those of now.
  JournalFigures figures ABSL_GUARDED_BY(monitor);
  absl::Time commit_begun ABSL_GUARDED_BY(monitor);  // Of the one that is on its way.
  std::atomic<size_t> keys{0};
  std::atomic<size_t> waiting_clients{0};
  std::atomic<size_t> memory_bytes{0};
  std::vector<std::unique_ptr<JournaledPort>> ports;  // By loop.
};

}  // namespace rollcall

#endif  // ROLLCALL_STORE_JOURNAL_JOURNALED_STATE_H_
