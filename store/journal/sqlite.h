// As much of SQLite as a journal needs: statuses instead of codes, destructors instead of rules.
#ifndef ROLLCALL_STORE_JOURNAL_SQLITE_H_
#define ROLLCALL_STORE_JOURNAL_SQLITE_H_

#include <sqlite3.h>

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace rollcall::sqlite {

// What a call ended with: DataLoss for a damaged file, ResourceExhausted for a full medium,
// Unavailable for an I/O error, FailedPrecondition for a file that somebody else uses, Internal for
// the rest. The message is SQLite's, with the system's error where there is one.
absl::Status StatusOf(sqlite3* database, int code);

// A compiled statement, to be run many times. The database must outlive it. One thread at a time.
class Statement {
 public:
  // To be assigned to; nothing else may be done with it.
  Statement() = default;

  // Parameters count from 1, columns from 0. A text must live until the next Reset.
  void Bind(int parameter, int64_t number);
  void Bind(int parameter, absl::string_view bytes);
  // True: there is a row to read; false: there is none, or none any more, and it has been reset.
  absl::StatusOr<bool> Step();
  // For one without rows.
  absl::Status Run();
  void Reset() { sqlite3_reset(statement_.get()); }

  int64_t Number(int column) const { return sqlite3_column_int64(statement_.get(), column); }
  // Valid until the next Step or Reset.
  absl::string_view Bytes(int column) const;

 private:
  friend class Database;
  struct Finalize {
    void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
  };
  explicit Statement(sqlite3_stmt* statement) : statement_(statement) {}

  std::unique_ptr<sqlite3_stmt, Finalize> statement_;
};

class Database {
 public:
  // `flags`: SQLITE_OPEN_READWRITE and so on. `vfs`: nullptr for the system's files.
  static absl::StatusOr<Database> Open(const std::string& path, int flags, const char* vfs);

  absl::StatusOr<Statement> Prepare(absl::string_view sql);
  // Statements without parameters; what rows they have is dropped.
  absl::Status Execute(const std::string& sql);
  // The first column of the only row.
  absl::StatusOr<std::string> Ask(absl::string_view sql);
  // Closes it. What would make closing fail (statements that live) is a bug.
  void Close() { database_.reset(); }

 private:
  struct CloseDatabase {
    void operator()(sqlite3* database) const { sqlite3_close_v2(database); }
  };
  std::unique_ptr<sqlite3, CloseDatabase> database_;
};

}  // namespace rollcall::sqlite

#endif  // ROLLCALL_STORE_JOURNAL_SQLITE_H_
