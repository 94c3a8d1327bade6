#include "store/journal/journal_directory.h"

#include <dirent.h>
#include <fcntl.h>
#include <openssl/sha.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"

namespace rollcall {
namespace {

constexpr size_t kAcknowledgedBytes = 2 * sizeof(uint64_t);

absl::Status SystemError(absl::string_view what, const std::string& path) {
  const int error = errno;
  return absl::UnavailableError(
      absl::StrCat("cannot ", what, " ", path, ": ", std::strerror(error)));
}

uint64_t LittleEndian(const unsigned char* bytes) {
  uint64_t number = 0;
  for (size_t i = sizeof(number); i-- > 0;) number = number << 8 | bytes[i];
  return number;
}

void PutLittleEndian(uint64_t number, char* bytes) {
  for (size_t i = 0; i < sizeof(number); ++i) bytes[i] = static_cast<char>(number >> (8 * i));
}

}  // namespace

OwnedDescriptor::OwnedDescriptor(OwnedDescriptor&& other) noexcept
    : descriptor_(std::exchange(other.descriptor_, -1)) {}

OwnedDescriptor& OwnedDescriptor::operator=(OwnedDescriptor&& other) noexcept {
  std::swap(descriptor_, other.descriptor_);
  return *this;
}

OwnedDescriptor::~OwnedDescriptor() {
  if (descriptor_ >= 0) close(descriptor_);
}

absl::StatusOr<JournalDirectory> JournalDirectory::Take(const std::string& path) {
  if (mkdir(path.c_str(), 0700) != 0 && errno != EEXIST) return SystemError("make", path);
  JournalDirectory taken;
  taken.path_ = path;
  taken.directory_ = OwnedDescriptor(open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (taken.directory_.get() < 0) return SystemError("open", path);
  // The kernel lets go of it when the process ends, in whatever way.
  if (flock(taken.directory_.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK) return SystemError("lock", path);
    return absl::FailedPreconditionError(absl::StrCat("another server is using ", path));
  }
  return taken;
}

std::string JournalDirectory::File(absl::string_view name) const {
  return absl::StrCat(path_, "/", name);
}

absl::StatusOr<std::vector<std::string>> JournalDirectory::Names() const {
  DIR* const directory = opendir(path_.c_str());
  if (directory == nullptr) return SystemError("read", path_);
  std::vector<std::string> names;
  errno = 0;
  while (const dirent* entry = readdir(directory)) {
    const absl::string_view name = entry->d_name;
    // A file system that is mounted there has this one from its making.
    if (name != "." && name != ".." && name != "lost+found") names.emplace_back(name);
  }
  const absl::Status read = errno == 0 ? absl::OkStatus() : SystemError("read", path_);
  closedir(directory);
  if (!read.ok()) return read;
  std::sort(names.begin(), names.end());
  return names;
}

uint64_t JournalDirectory::BytesOf(absl::string_view name) const {
  struct stat status = {};
  return stat(File(name).c_str(), &status) == 0 ? static_cast<uint64_t>(status.st_size) : 0;
}

absl::Status JournalDirectory::Rename(absl::string_view from, absl::string_view to) const {
  if (std::rename(File(from).c_str(), File(to).c_str()) != 0) {
    return SystemError("rename a file in", path_);
  }
  return fsync(directory_.get()) == 0 ? absl::OkStatus() : SystemError("sync", path_);
}

absl::StatusOr<std::optional<uint64_t>> JournalDirectory::ReadAcknowledged() const {
  const std::string path = File(kAcknowledgedFile);
  const OwnedDescriptor file(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (file.get() < 0) {
    if (errno == ENOENT) return std::nullopt;
    return SystemError("open", path);
  }
  unsigned char bytes[kAcknowledgedBytes + 1];
  const ssize_t count = pread(file.get(), bytes, sizeof(bytes), 0);
  if (count < 0) return SystemError("read", path);
  const uint64_t commit = count == kAcknowledgedBytes ? LittleEndian(bytes) : 0;
  if (count != kAcknowledgedBytes ||
      LittleEndian(bytes + sizeof(commit)) !=
          ChecksumOf(absl::string_view(reinterpret_cast<const char*>(bytes), sizeof(commit)))) {
    return absl::DataLossError(absl::StrCat(path, " is damaged"));
  }
  return commit;
}

absl::Status JournalDirectory::BeginAcknowledging(uint64_t commit) {
  const std::string unfinished = absl::StrCat(kAcknowledgedFile, ".unfinished");
  const std::string path = File(unfinished);
  acknowledged_ =
      OwnedDescriptor(open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
  if (acknowledged_.get() < 0) return SystemError("open", path);
  if (absl::Status written = Acknowledge(commit); !written.ok()) return written;
  if (fsync(acknowledged_.get()) != 0) return SystemError("sync", path);
  return Rename(unfinished, kAcknowledgedFile);
}

absl::Status JournalDirectory::Acknowledge(uint64_t commit) {
  char bytes[kAcknowledgedBytes];
  PutLittleEndian(commit, bytes);
  PutLittleEndian(ChecksumOf(absl::string_view(bytes, sizeof(commit))), bytes + sizeof(commit));
  const ssize_t count = pwrite(acknowledged_.get(), bytes, sizeof(bytes), 0);
  if (count == sizeof(bytes)) return absl::OkStatus();
  if (count >= 0) errno = ENOSPC;
  return SystemError("write", File(kAcknowledgedFile));
}

uint64_t ChecksumOf(absl::string_view bytes) {
  unsigned char digest[SHA256_DIGEST_LENGTH];
  SHA256(reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size(), digest);
  return LittleEndian(digest);
}

}  // namespace rollcall
