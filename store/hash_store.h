// A Store in the memory of this process: for threads that meet, and for tests.
#ifndef ROLLCALL_STORE_HASH_STORE_H_
#define ROLLCALL_STORE_HASH_STORE_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "net/env.h"
#include "store/atomic_duration.h"
#include "store/store.h"

namespace rollcall {

// The very engine of the server, without a network: same semantics, no limits on sizes. Clones
// share the data, which lives as long as the last of them. NOT_A_NUMBER, WAIT_TIMEOUT,
// BARRIER_TIMEOUT, QUEUE_EMPTY and SIZE_MISMATCH are all it raises, and std::invalid_argument.
class HashStore : public Store {
 public:
  // `env` must outlive the store and its clones.
  explicit HashStore(net::Env& env, absl::Duration timeout = kDefaultTimeout);
  ~HashStore() override;

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
  std::string Describe() const override { return "HashStore()"; }

 private:
  class Core;
  HashStore(std::shared_ptr<Core> core, absl::Duration timeout);

  // Raises WAIT_TIMEOUT in the name of `operation`.
  std::vector<std::string> AwaitValues(std::vector<std::string> keys, absl::Duration timeout,
                                       absl::string_view operation);

  const std::shared_ptr<Core> core_;
  AtomicDuration timeout_;
};

}  // namespace rollcall

#endif  // ROLLCALL_STORE_HASH_STORE_H_
