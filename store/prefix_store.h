// A part of another store: every key gets a prefix.
#ifndef ROLLCALL_STORE_PREFIX_STORE_H_
#define ROLLCALL_STORE_PREFIX_STORE_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "store/store.h"

namespace rollcall {

// Key K becomes "prefix/K", as in torch, so that a PrefixStore of ours and one of torch's see the
// same keys. Unlike torch's, NumKeys and ListKeys see the keys under the prefix and no others, and
// Barrier and the queues are the underlying store's own. Errors name keys as the underlying store
// has them. Thread-safe if the underlying store is. timeout() is the underlying store's.
class PrefixStore : public Store {
 public:
  // std::invalid_argument if `store` is null.
  PrefixStore(std::string prefix, std::shared_ptr<Store> store);

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
  // Lists the underlying store's keys to count its own: UNSUPPORTED where that cannot list.
  int64_t NumKeys() override;
  bool HasExtendedApi() const override;
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

  Store& underlying_store() const { return *store_; }
  // Below all PrefixStores.
  Store& underlying_non_prefix_store() const;

 private:
  std::string Prefixed(absl::string_view key) const;
  std::vector<std::string> Prefixed(absl::Span<const std::string> keys) const;

  const std::string prefix_;
  const std::shared_ptr<Store> store_;
};

}  // namespace rollcall

#endif  // ROLLCALL_STORE_PREFIX_STORE_H_
