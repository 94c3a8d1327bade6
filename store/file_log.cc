#include "store/file_log.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <optional>
#include <utility>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "store/dist_error.h"

namespace rollcall {
namespace {

constexpr char kDeletion = '-';
// Above it, a length is taken for damage rather than for a value.
constexpr uint32_t kTextBytesMax = uint32_t{1} << 30;

template <typename Call>
auto RetryOnInterrupt(Call call) {
  decltype(call()) result;
  do {
    result = call();
  } while (result < 0 && errno == EINTR);
  return result;
}

void AppendText(absl::string_view text, std::string& record) {
  const uint32_t size = static_cast<uint32_t>(text.size());
  for (int byte = 0; byte < 4; ++byte) record.push_back(static_cast<char>(size >> (8 * byte)));
  record.append(text.data(), text.size());
}

// Cuts one text off the front of `bytes`; nullopt if it is not all there.
std::optional<absl::string_view> TakeText(absl::string_view& bytes) {
  if (bytes.size() < 4) return std::nullopt;
  uint32_t size = 0;
  for (int byte = 3; byte >= 0; --byte) {
    size = size << 8 | static_cast<unsigned char>(bytes[static_cast<size_t>(byte)]);
  }
  if (size > kTextBytesMax || bytes.size() - 4 < size) return std::nullopt;
  const absl::string_view text = bytes.substr(4, size);
  bytes.remove_prefix(4 + size);
  return text;
}

absl::Status WriteAll(int fd, absl::string_view bytes, absl::FunctionRef<absl::Status(int)> error) {
  while (!bytes.empty()) {
    const ssize_t written = RetryOnInterrupt([&] { return write(fd, bytes.data(), bytes.size()); });
    if (written < 0) return error(errno);
    bytes.remove_prefix(static_cast<size_t>(written));
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status FileLog::Error(absl::string_view what, int errno_value) const {
  std::string reason = errno_value == 0 ? "" : absl::StrCat(": ", strerror(errno_value));
  ErrorDetails details;
  details.operation = "file";
  details.peer = path_;
  return StoreStatus(ErrorCode::kFile, absl::StrCat("file store \"", path_, "\": ", what, reason),
                     std::move(details));
}

absl::Status FileLog::Access::Append(absl::string_view name, absl::string_view value) {
  std::string record;
  record.reserve(8 + name.size() + value.size());
  AppendText(name, record);
  AppendText(value, record);
  // A record that is only half there (a full disk) would be damage to all who read on: take it
  // back.
  const off_t end = lseek(fd_, 0, SEEK_END);
  absl::Status written =
      WriteAll(fd_, record, [this](int error) { return log_.Error("cannot write", error); });
  if (!written.ok()) {
    if (ftruncate(fd_, end) != 0) return log_.Error("cannot take back half a record", errno);
    return written;
  }
  return log_.ReadNews(fd_);
}

absl::Status FileLog::Access::AppendDeletion(absl::string_view name) {
  return Append(absl::StrCat(std::string(1, kDeletion), name), "");
}

absl::Status FileLog::ReadNews(int fd) {
  struct stat file = {};
  if (fstat(fd, &file) != 0) return Error("cannot look at it", errno);
  if (file.st_size < read_bytes_) {
    // Somebody removed it and began anew.
    values_.clear();
    read_bytes_ = 0;
  }
  std::string news(static_cast<size_t>(file.st_size - read_bytes_), '\0');
  size_t have = 0;
  while (have < news.size()) {
    const ssize_t got = RetryOnInterrupt([&] {
      return pread(fd, news.data() + have, news.size() - have,
                   read_bytes_ + static_cast<off_t>(have));
    });
    if (got < 0) return Error("cannot read", errno);
    if (got == 0) break;
    have += static_cast<size_t>(got);
  }
  absl::string_view rest(news.data(), have);
  while (!rest.empty()) {
    absl::string_view record = rest;
    const std::optional<absl::string_view> name = TakeText(record);
    const std::optional<absl::string_view> value =
        name.has_value() ? TakeText(record) : std::nullopt;
    if (!value.has_value()) {
      return Error(absl::StrCat("damaged record at byte ", read_bytes_, " of ", file.st_size), 0);
    }
    if (!name->empty() && name->front() == kDeletion) {
      values_.erase(std::string(name->substr(1)));
    } else {
      values_[std::string(*name)] = std::string(*value);
    }
    read_bytes_ += static_cast<int64_t>(rest.size() - record.size());
    rest = record;
  }
  return absl::OkStatus();
}

absl::Status FileLog::WithLock(bool writes, absl::FunctionRef<absl::Status(Access&)> work) {
  const int fd =
      RetryOnInterrupt([&] { return open(path_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644); });
  if (fd < 0) return Error("cannot open", errno);
  auto close_file = absl::MakeCleanup([fd] { close(fd); });  // Unlocks, too.
  if (RetryOnInterrupt([&] { return flock(fd, writes ? LOCK_EX : LOCK_SH); }) != 0) {
    return Error("cannot lock", errno);
  }
  if (absl::Status read = ReadNews(fd); !read.ok()) return read;
  Access access(*this, fd);
  return work(access);
}

void FileLog::Remove() { unlink(path_.c_str()); }

}  // namespace rollcall
