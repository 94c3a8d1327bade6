// A journal in a directory, kept by SQLite. docs/journal.md is the guide.
#ifndef ROLLCALL_STORE_JOURNAL_SQLITE_JOURNAL_H_
#define ROLLCALL_STORE_JOURNAL_SQLITE_JOURNAL_H_

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "store/journal/journal.h"

namespace rollcall {

struct SqliteJournalOptions {
  // Made if there is none and its parent is there. Must be this journal's alone.
  std::string directory;
  // The database's file takes no more than about this; what would is refused as a full medium is.
  // 0: as much as the medium has.
  uint64_t bytes_max = 0;
  // Whose files: the name of a VFS that is registered with SQLite. Empty: the system's.
  std::string vfs = {};
};

// Each commit is synced to the medium before it returns (write-ahead log, synchronous=FULL).
//
// A directory that is empty becomes a new journal; one that has a journal gives it back or fails,
// and never begins anew. Every row carries a checksum, the database the sum of them and the number
// of its commits, and a file beside it the number up to which commits were acknowledged: a row that
// changed or went, a log that was cut, and files that are not of one another are all noticed.
//
// FailedPrecondition: somebody else has the directory, or it holds something that is no journal.
// DataLoss: it is damaged, or of a format that this version does not know. ResourceExhausted,
// Unavailable: the medium is full or fails. Each message names the directory, what is wrong, and
// what to do.
absl::StatusOr<std::unique_ptr<Journal>> OpenSqliteJournal(const SqliteJournalOptions& options);

}  // namespace rollcall

#endif  // ROLLCALL_STORE_JOURNAL_SQLITE_JOURNAL_H_
