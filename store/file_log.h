// The file under a FileStore: an append-only log of writes, in the format of torch's FileStore.
//
//   record    u32 name length, name, u32 value length, value; integers little-endian
//   "/K" V    the user's key K now holds V
//   "-/K" ""  the user's key K was deleted
//   "refcount/", "cleanup/"   decimal counters: stores open now, stores closed so far
#ifndef ROLLCALL_STORE_FILE_LOG_H_
#define ROLLCALL_STORE_FILE_LOG_H_

#include <cstdint>
#include <functional>
#include <map>
#include <string>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace rollcall {

// One reader and writer. Reads only what was added since it last looked. Not thread-safe; any
// number of processes may have the same file open, each access under an flock.
class FileLog {
 public:
  // By name as in the file ("/K", "refcount/").
  using Values = std::map<std::string, std::string, std::less<>>;
  // What to do with the file while it is locked: sees the values of this moment, and may append.
  class Access {
   public:
    const Values& values() const { return log_.values_; }
    absl::Status Append(absl::string_view name, absl::string_view value);
    absl::Status AppendDeletion(absl::string_view name);

   private:
    friend class FileLog;
    Access(FileLog& log, int fd) : log_(log), fd_(fd) {}
    FileLog& log_;
    const int fd_;
  };

  explicit FileLog(std::string path) : path_(std::move(path)) {}

  // Opens the file (creating it), locks it, reads what is new, runs `work`, unlocks and closes. A
  // shared lock if `writes` is false. FILE errors name the path, the call and the errno; a record
  // that is damaged or incomplete is FILE too, and what was read before it stays.
  absl::Status WithLock(bool writes, absl::FunctionRef<absl::Status(Access&)> work);

  void Remove();

  const std::string& path() const { return path_; }

 private:
  absl::Status ReadNews(int fd);
  absl::Status Error(absl::string_view what, int errno_value) const;

  const std::string path_;
  Values values_;
  int64_t read_bytes_ = 0;
};

}  // namespace rollcall

#endif  // ROLLCALL_STORE_FILE_LOG_H_
