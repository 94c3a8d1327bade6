// What a server's journal does, in numbers, where it has one.
#ifndef ROLLCALL_STORE_SERVER_JOURNAL_FIGURES_H_
#define ROLLCALL_STORE_SERVER_JOURNAL_FIGURES_H_

#include <cstddef>
#include <cstdint>
#include <optional>

#include "absl/time/time.h"
#include "store/engine/duration_histogram.h"

namespace rollcall {

struct JournalFigures {
  // --- Since the server began; those that succeeded ---
  uint64_t commits = 0;
  uint64_t changes = 0;        // That they had.
  uint64_t changed_bytes = 0;  // Of names and values in those.
  engine::DurationHistogram commit_times{&engine::kCommitTimes};

  // --- Now ---
  std::optional<absl::Duration> under_way;  // How long the commit has taken that is; nullopt: none.
  size_t waiting_replies = 0;               // For a commit.
  size_t sessions = 0;
  uint64_t database_bytes = 0;  // Of its files, when it was last written to, ...
  uint64_t log_bytes = 0;       // ... and of the log beside it.
  bool has_failed = false;      // Then nothing is served any more.

  // --- At the start ---
  absl::Duration recovery_time;
  size_t recovered_keys = 0;
};

}  // namespace rollcall

#endif  // ROLLCALL_STORE_SERVER_JOURNAL_FIGURES_H_
