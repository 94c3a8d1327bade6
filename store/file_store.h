// A Store in a file that all ranks can open: on one machine, or on a network file system with
// working locks.
#ifndef ROLLCALL_STORE_FILE_STORE_H_
#define ROLLCALL_STORE_FILE_STORE_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "net/env.h"
#include "store/atomic_duration.h"
#include "store/store.h"

namespace rollcall {

// The file has the format of torch's FileStore (file_log.h), so that ranks of ours and of torch's
// can share one. Waiting is polling, every 10 ms. Append, multi_get and multi_set are built from
// the other operations: append is atomic, multi_set is not. No queues and no server barrier
// (UNSUPPORTED): Barrier uses two bookkeeping keys, "K/num_members" and "K/last_member", as torch's
// fall-back does.
//
// Every store (clones counted with their original) counts itself in and out; the last one out
// removes the file, if `world_size` is known and at least that many have gone. Raises FILE if the
// file cannot be used or is damaged.
class FileStore : public Store {
 public:
  // `world_size` <= 0: not known, and the file stays. `env` must outlive the store and its clones.
  FileStore(net::Env& env, std::string path, int world_size = -1,
            absl::Duration timeout = kDefaultTimeout);
  ~FileStore() override;

  using Store::Barrier;
  using Store::Get;
  using Store::QueuePop;
  using Store::Wait;

  void Set(absl::string_view key, absl::string_view value) override;
  std::string CompareSet(absl::string_view key, absl::string_view expected,
                         absl::string_view desired) override;
  std::string Get(absl::string_view key, absl::Duration timeout) override;
  int64_t Add(absl::string_view key, int64_t delta) override;
  bool Check(absl::Span<const std::string> keys) override;
  void Wait(absl::Span<const std::string> keys, absl::Duration timeout) override;
  bool DeleteKey(absl::string_view key) override;
  int64_t NumKeys() override;
  bool HasExtendedApi() const override { return true; }
  void Append(absl::string_view key, absl::string_view value) override;
  std::vector<std::string> MultiGet(absl::Span<const std::string> keys) override;
  void MultiSet(absl::Span<const std::string> keys, absl::Span<const std::string> values) override;
  void QueuePush(absl::string_view key, absl::string_view value) override;
  std::string QueuePop(absl::string_view key, bool block, absl::Duration timeout) override;
  int64_t QueueLen(absl::string_view key) override;
  std::vector<std::string> ListKeys() override;
  void Barrier(absl::string_view key, int64_t world_size, absl::Duration timeout) override;
  absl::Duration timeout() const override;
  void SetTimeout(absl::Duration timeout) override;
  std::unique_ptr<Store> Clone() override;
  std::string Describe() const override;

  const std::string& path() const;

 private:
  class Shared;
  FileStore(std::shared_ptr<Shared> shared, absl::Duration timeout);

  // Those of `keys` that are not there now.
  std::vector<std::string> Missing(absl::Span<const std::string> keys);
  // Both raise WAIT_TIMEOUT in the name of `operation`.
  void AwaitKeys(absl::Span<const std::string> keys, absl::Duration timeout, absl::Time deadline,
                 absl::string_view operation);
  std::vector<std::string> AwaitValues(std::vector<std::string> keys, absl::Duration timeout,
                                       absl::string_view operation);
  [[noreturn]] void ThrowUnsupported(absl::string_view operation, absl::string_view key) const;

  // Clones share one reader of the file, and count as one rank.
  const std::shared_ptr<Shared> shared_;
  AtomicDuration timeout_;
};

}  // namespace rollcall

#endif  // ROLLCALL_STORE_FILE_STORE_H_
