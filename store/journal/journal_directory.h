// The directory of a journal: that only one server has it, and how far it has told its clients that
// their writes are safe.
#ifndef ROLLCALL_STORE_JOURNAL_JOURNAL_DIRECTORY_H_
#define ROLLCALL_STORE_JOURNAL_JOURNAL_DIRECTORY_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace rollcall {

inline constexpr char kAcknowledgedFile[] = "acknowledged";

// A descriptor, closed with it.
class OwnedDescriptor {
 public:
  OwnedDescriptor() = default;
  explicit OwnedDescriptor(int descriptor) : descriptor_(descriptor) {}
  OwnedDescriptor(OwnedDescriptor&& other) noexcept;
  OwnedDescriptor& operator=(OwnedDescriptor&& other) noexcept;
  ~OwnedDescriptor();
  int get() const { return descriptor_; }

 private:
  int descriptor_ = -1;
};

// Errors are Unavailable with the path and the system's words, FailedPrecondition where somebody
// else has the directory, DataLoss for a damaged file. One thread at a time.
class JournalDirectory {
 public:
  // Takes the directory for this process, until destruction or death, whatever kills it. Made if
  // there is none and its parent is there.
  static absl::StatusOr<JournalDirectory> Take(const std::string& path);

  const std::string& path() const { return path_; }
  std::string File(absl::string_view name) const;
  absl::StatusOr<std::vector<std::string>> Names() const;
  // 0 if there is no such file.
  uint64_t BytesOf(absl::string_view name) const;
  // So that it stays, with what was made in it before.
  absl::Status Rename(absl::string_view from, absl::string_view to) const;

  // --- The number of the last commit that anybody was told of ---
  // A file of its own, written after each commit and not synced: it outlives the process at once,
  // and a power cut within seconds. It never says more than is safe; so a database that has less
  // has lost something.

  // nullopt: there is no such file.
  absl::StatusOr<std::optional<uint64_t>> ReadAcknowledged() const;
  // Makes it anew and syncs it, so that Acknowledge only writes over it.
  absl::Status BeginAcknowledging(uint64_t commit);
  absl::Status Acknowledge(uint64_t commit);

 private:
  std::string path_;
  OwnedDescriptor directory_;
  OwnedDescriptor acknowledged_;
};

// 64 bits of a digest that notices whatever chance does to `bytes`. Stable.
uint64_t ChecksumOf(absl::string_view bytes);

}  // namespace rollcall

#endif  // ROLLCALL_STORE_JOURNAL_JOURNAL_DIRECTORY_H_
