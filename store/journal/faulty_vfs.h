// Files of SQLite's on a medium that fails when it is told to.
#ifndef ROLLCALL_STORE_JOURNAL_FAULTY_VFS_H_
#define ROLLCALL_STORE_JOURNAL_FAULTY_VFS_H_

#include <sqlite3.h>

#include <string>

namespace rollcall {

// The system's files, but the n-th write or sync of all fails, and so does every one after it. One
// at a time, and it must outlive every database on it.
class FaultyVfs {
 public:
  FaultyVfs();
  ~FaultyVfs();
  FaultyVfs(const FaultyVfs&) = delete;
  FaultyVfs& operator=(const FaultyVfs&) = delete;

  // To open a journal with.
  const std::string& name() const { return name_; }

  // From now on: after `calls` more that succeed, each fails with `code` (SQLITE_FULL,
  // SQLITE_IOERR_WRITE, SQLITE_IOERR_FSYNC).
  void FailAfter(int calls, int code);
  // How many have been made since.
  int calls() const;

 private:
  const std::string name_;
};

}  // namespace rollcall

#endif  // ROLLCALL_STORE_JOURNAL_FAULTY_VFS_H_
