#include "store/file_store.h"

#include <algorithm>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "glog/logging.h"
#include "net/monitor.h"
#include "store/dist_error.h"
#include "store/engine/key_space.h"
#include "store/file_log.h"
#include "store/wait_error.h"

namespace rollcall {
namespace {

constexpr char kUserPrefix[] = "/";
constexpr char kReferences[] = "refcount/";
constexpr char kClosed[] = "cleanup/";
constexpr absl::Duration kPollInterval = absl::Milliseconds(10);

std::string UserName(absl::string_view key) { return absl::StrCat(kUserPrefix, key); }

ErrorDetails DetailsFor(absl::string_view operation, const std::vector<std::string>& keys,
                        const std::string& path) {
  ErrorDetails details;
  details.operation = std::string(operation);
  details.keys = keys;
  details.peer = path;
  return details;
}

// InvalidArgument or OutOfRange if what is there is no number.
absl::StatusOr<int64_t> AddTo(FileLog::Access& file, const std::string& name, int64_t delta) {
  uint64_t sum = static_cast<uint64_t>(delta);  // Unsigned: the sum wraps around.
  if (auto found = file.values().find(name); found != file.values().end()) {
    const absl::StatusOr<int64_t> number = engine::ParseCounter(found->second);
    if (!number.ok()) return number.status();
    sum += static_cast<uint64_t>(*number);
  }
  const int64_t result = static_cast<int64_t>(sum);
  absl::Status written = file.Append(name, absl::StrCat(result));
  if (!written.ok()) return written;
  return result;
}

}  // namespace

// One reference to the file: counts itself in and out.
class FileStore::Shared {
 public:
  Shared(net::Env& env, std::string path, int world_size)
      : env_(env), world_size_(world_size), monitor_(env.NewMonitor()), log_(std::move(path)) {
    ThrowIfError(
        With(true, [](FileLog::Access& file) { return AddTo(file, kReferences, 1).status(); }));
  }

  ~Shared() {
    int64_t references = 0;
    int64_t closed = 0;
    const absl::Status counted = With(true, [&](FileLog::Access& file) {
      absl::StatusOr<int64_t> sum = AddTo(file, kClosed, 1);
      if (!sum.ok()) return sum.status();
      closed = *sum;
      sum = AddTo(file, kReferences, -1);
      if (!sum.ok()) return sum.status();
      references = *sum;
      return absl::OkStatus();
    });
    if (!counted.ok()) {
      LOG(WARNING) << "file store left without counting itself out: " << counted;
    } else if (references == 0 && world_size_ > 0 && closed >= world_size_) {
      log_.Remove();
    }
  }

  absl::Status With(bool writes, absl::FunctionRef<absl::Status(FileLog::Access&)> work) {
    net::MonitorLock lock(monitor_.get());
    return log_.WithLock(writes, work);
  }

  net::Env& env() { return env_; }
  const std::string& path() const { return log_.path(); }

 private:
  net::Env& env_;
  const int world_size_;
  const std::unique_ptr<net::Monitor> monitor_;
  FileLog log_;  // Under *monitor_.
};

FileStore::FileStore(net::Env& env, std::string path, int world_size, absl::Duration timeout)
    : FileStore(std::make_shared<Shared>(env, std::move(path), world_size), timeout) {}

FileStore::FileStore(std::shared_ptr<Shared> shared, absl::Duration timeout)
    : shared_(std::move(shared)), timeout_(timeout) {
  CheckTimeout(timeout);
}

FileStore::~FileStore() = default;

void FileStore::Set(absl::string_view key, absl::string_view value) {
  ThrowIfError(shared_->With(
      true, [&](FileLog::Access& file) { return file.Append(UserName(key), value); }));
}

std::string FileStore::CompareSet(absl::string_view key, absl::string_view expected,
                                  absl::string_view desired) {
  std::string held;
  ThrowIfError(shared_->With(true, [&](FileLog::Access& file) {
    const std::string name = UserName(key);
    const auto found = file.values().find(name);
    const bool missing = found == file.values().end();
    if (missing ? expected.empty() : absl::string_view(found->second) == expected) {
      held = std::string(desired);
      return file.Append(name, desired);
    }
    held = missing ? std::string(expected) : found->second;
    return absl::OkStatus();
  }));
  return held;
}

std::string FileStore::Get(absl::string_view key, absl::Duration timeout) {
  return std::move(AwaitValues({std::string(key)}, timeout, "get").at(0));
}

int64_t FileStore::Add(absl::string_view key, int64_t delta) {
  int64_t sum = 0;
  ThrowIfError(shared_->With(true, [&](FileLog::Access& file) {
    absl::StatusOr<int64_t> added = AddTo(file, UserName(key), delta);
    if (added.ok()) sum = *added;
    if (absl::IsInvalidArgument(added.status()) || absl::IsOutOfRange(added.status())) {
      return StoreStatus(ErrorCode::kNotANumber, std::string(added.status().message()),
                         DetailsFor("add", {std::string(key)}, shared_->path()));
    }
    return added.status();
  }));
  return sum;
}

std::vector<std::string> FileStore::Missing(absl::Span<const std::string> keys) {
  std::vector<std::string> missing;
  ThrowIfError(shared_->With(false, [&](FileLog::Access& file) {
    for (const std::string& key : keys) {
      if (!file.values().contains(UserName(key))) missing.push_back(key);
    }
    return absl::OkStatus();
  }));
  return missing;
}

bool FileStore::Check(absl::Span<const std::string> keys) { return Missing(keys).empty(); }

void FileStore::Wait(absl::Span<const std::string> keys, absl::Duration timeout) {
  CheckTimeout(timeout);
  AwaitKeys(keys, timeout, net::DeadlineAfter(shared_->env(), timeout), "wait");
}

void FileStore::AwaitKeys(absl::Span<const std::string> keys, absl::Duration timeout,
                          absl::Time deadline, absl::string_view operation) {
  std::vector<std::string> missing = Missing(keys);
  while (!missing.empty()) {
    const absl::Time now = shared_->env().Now();
    if (now >= deadline) {
      ErrorDetails details = DetailsFor(operation, {keys.begin(), keys.end()}, shared_->path());
      details.elapsed = timeout;
      details.missing_keys = std::move(missing);
      ThrowIfError(WaitTimeoutError(std::move(details), timeout));
    }
    shared_->env().SleepUntil(std::min(now + kPollInterval, deadline));
    missing = Missing(missing);
  }
}

std::vector<std::string> FileStore::AwaitValues(std::vector<std::string> keys,
                                                absl::Duration timeout,
                                                absl::string_view operation) {
  CheckTimeout(timeout);
  const absl::Time deadline = net::DeadlineAfter(shared_->env(), timeout);
  std::vector<std::string> values;
  // A key may be deleted between its coming and the reading of it: then it is awaited anew.
  do {
    AwaitKeys(keys, timeout, deadline, operation);
    values.clear();
    ThrowIfError(shared_->With(false, [&](FileLog::Access& file) {
      for (const std::string& key : keys) {
        const auto found = file.values().find(UserName(key));
        if (found != file.values().end()) values.push_back(found->second);
      }
      return absl::OkStatus();
    }));
  } while (values.size() < keys.size());
  return values;
}

bool FileStore::DeleteKey(absl::string_view key) {
  bool existed = false;
  ThrowIfError(shared_->With(true, [&](FileLog::Access& file) {
    const std::string name = UserName(key);
    existed = file.values().contains(name);
    return existed ? file.AppendDeletion(name) : absl::OkStatus();
  }));
  return existed;
}

int64_t FileStore::NumKeys() {
  int64_t count = 0;
  ThrowIfError(shared_->With(false, [&](FileLog::Access& file) {
    count = static_cast<int64_t>(file.values().size());
    return absl::OkStatus();
  }));
  return count;
}

void FileStore::Append(absl::string_view key, absl::string_view value) {
  ThrowIfError(shared_->With(true, [&](FileLog::Access& file) {
    const std::string name = UserName(key);
    const auto found = file.values().find(name);
    return file.Append(
        name, absl::StrCat(found == file.values().end() ? std::string() : found->second, value));
  }));
}

std::vector<std::string> FileStore::MultiGet(absl::Span<const std::string> keys) {
  return AwaitValues({keys.begin(), keys.end()}, timeout(), "multi_get");
}

void FileStore::MultiSet(absl::Span<const std::string> keys, absl::Span<const std::string> values) {
  ThrowIfError(CheckSameSize(keys.size(), values.size()));
  ThrowIfError(shared_->With(true, [&](FileLog::Access& file) {
    for (size_t i = 0; i < keys.size(); ++i) {
      absl::Status written = file.Append(UserName(keys[i]), values[i]);
      if (!written.ok()) return written;
    }
    return absl::OkStatus();
  }));
}

void FileStore::ThrowUnsupported(absl::string_view operation, absl::string_view key) const {
  throw DistStoreError(ErrorCode::kUnsupported,
                       absl::StrCat(operation, " is not available on a FileStore"),
                       DetailsFor(operation, {std::string(key)}, shared_->path()));
}

void FileStore::QueuePush(absl::string_view key, absl::string_view) {
  ThrowUnsupported("queue_push", key);
}

std::string FileStore::QueuePop(absl::string_view key, bool, absl::Duration) {
  ThrowUnsupported("queue_pop", key);
}

int64_t FileStore::QueueLen(absl::string_view key) { ThrowUnsupported("queue_len", key); }

std::vector<std::string> FileStore::ListKeys() {
  std::vector<std::string> keys;
  ThrowIfError(shared_->With(false, [&](FileLog::Access& file) {
    for (const auto& [name, value] : file.values()) {
      if (absl::StartsWith(name, kUserPrefix)) keys.push_back(name.substr(1));
    }
    return absl::OkStatus();
  }));
  return keys;
}

void FileStore::Barrier(absl::string_view key, int64_t world_size, absl::Duration timeout) {
  CheckTimeout(timeout);
  if (world_size <= 0) return;
  const absl::Time deadline = net::DeadlineAfter(shared_->env(), timeout);
  const std::string last = absl::StrCat(key, "/last_member");
  const int64_t joined = Add(absl::StrCat(key, "/num_members"), 1);
  if (joined >= world_size) Set(last, "1");
  while (!Check({last})) {
    const absl::Time now = shared_->env().Now();
    if (now >= deadline) {
      ErrorDetails details = DetailsFor("barrier", {std::string(key)}, shared_->path());
      details.elapsed = timeout;
      details.world_size = static_cast<int>(world_size);
      ThrowIfError(BarrierTimeoutError(std::move(details), key, timeout));
    }
    shared_->env().SleepUntil(std::min(now + kPollInterval, deadline));
  }
}

absl::Duration FileStore::timeout() const { return timeout_.Get(); }

void FileStore::SetTimeout(absl::Duration timeout) {
  CheckTimeout(timeout);
  timeout_.Set(timeout);
}

std::unique_ptr<Store> FileStore::Clone() {
  return std::unique_ptr<Store>(new FileStore(shared_, timeout()));
}

std::string FileStore::Describe() const {
  return absl::StrCat("FileStore(path=", shared_->path(), ")");
}

const std::string& FileStore::path() const { return shared_->path(); }

}  // namespace rollcall
