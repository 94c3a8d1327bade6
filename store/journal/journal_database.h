// The database of a SqliteJournal: rows with checksums, and what it says of all of them together.
#ifndef ROLLCALL_STORE_JOURNAL_JOURNAL_DATABASE_H_
#define ROLLCALL_STORE_JOURNAL_JOURNAL_DATABASE_H_

#include <cstdint>
#include <optional>
#include <string>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "store/journal/journal.h"
#include "store/journal/sqlite.h"

namespace rollcall {

// Errors as sqlite.h has them, and DataLoss for whatever is not as it was written; "it" in their
// messages is the journal. One thread at a time.
class JournalDatabase {
 public:
  // No database is shorter than this.
  static constexpr uint64_t kPageBytes = 4096;

  // A new one, in files that are not there yet.
  static absl::Status Create(const std::string& path, const char* vfs);
  // Before all that follows, once. `bytes_max`: 0, or about what its file may take.
  absl::Status Open(const std::string& path, const char* vfs, uint64_t bytes_max);

  // See Journal::Load.
  absl::Status Load(absl::FunctionRef<void(JournalChange change)> take);
  // See Journal::Commit; after a Load.
  absl::Status Commit(absl::Span<const JournalChange> changes);
  // How many there have been.
  uint64_t commits() const { return header_.commits; }

 private:
  struct Row;
  // What the database says of itself.
  struct Header {
    uint64_t commits = 0;
    uint64_t sum = 0;  // Of all rows' checksums, modulo 2^64.
  };
  // The statements that a commit is made of.
  struct Statements {
    sqlite::Statement begin;
    sqlite::Statement commit;
    sqlite::Statement put;
    sqlite::Statement erase;
    sqlite::Statement checksum;
    sqlite::Statement first;
    sqlite::Statement last;
    sqlite::Statement header;
  };

  static uint64_t ChecksumOf(const Row& row, absl::string_view value);
  static uint64_t ChecksumOf(const Header& header);
  static void BindRow(sqlite::Statement& statement, const Row& row);

  absl::Status Configure(uint64_t bytes_max);
  absl::Status Prepare();
  absl::StatusOr<Header> ReadHeader();
  // The sum of their checksums.
  absl::StatusOr<uint64_t> ReadRows(absl::FunctionRef<void(JournalChange change)> take);

  absl::Status Apply(const JournalChange& change);
  absl::Status Put(const Row& row, absl::string_view value);
  absl::Status Erase(const Row& row);
  // Of the queue's first or last element; 0 if it has none.
  absl::StatusOr<int64_t> PlaceOf(sqlite::Statement& which, const JournalChange& change);
  // Of what is there now under the row's name; 0 if nothing is.
  absl::StatusOr<uint64_t> OldChecksum(const Row& row);

  sqlite::Database database_;
  std::optional<Statements> statements_;  // They go before their database.
  Header header_;
};

}  // namespace rollcall

#endif  // ROLLCALL_STORE_JOURNAL_JOURNAL_DATABASE_H_
