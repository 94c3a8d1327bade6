#include "store/prefix_store.h"

#include <stdexcept>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace rollcall {

PrefixStore::PrefixStore(std::string prefix, std::shared_ptr<Store> store)
    : prefix_(std::move(prefix)), store_(std::move(store)) {
  if (store_ == nullptr) {
    throw std::invalid_argument(
        absl::StrCat("PrefixStore \"", prefix_, "\" needs a store to put its keys in, got null"));
  }
}

std::string PrefixStore::Prefixed(absl::string_view key) const {
  return absl::StrCat(prefix_, "/", key);
}

std::vector<std::string> PrefixStore::Prefixed(absl::Span<const std::string> keys) const {
  std::vector<std::string> prefixed;
  prefixed.reserve(keys.size());
  for (const std::string& key : keys) prefixed.push_back(Prefixed(key));
  return prefixed;
}

void PrefixStore::Set(absl::string_view key, absl::string_view value) {
  store_->Set(Prefixed(key), value);
}

std::string PrefixStore::CompareSet(absl::string_view key, absl::string_view expected,
                                    absl::string_view desired) {
  return store_->CompareSet(Prefixed(key), expected, desired);
}

std::string PrefixStore::Get(absl::string_view key, absl::Duration timeout) {
  return store_->Get(Prefixed(key), timeout);
}

int64_t PrefixStore::Add(absl::string_view key, int64_t delta) {
  return store_->Add(Prefixed(key), delta);
}

bool PrefixStore::Check(absl::Span<const std::string> keys) {
  return store_->Check(Prefixed(keys));
}

void PrefixStore::Wait(absl::Span<const std::string> keys, absl::Duration timeout) {
  store_->Wait(Prefixed(keys), timeout);
}

bool PrefixStore::DeleteKey(absl::string_view key) { return store_->DeleteKey(Prefixed(key)); }

int64_t PrefixStore::NumKeys() { return static_cast<int64_t>(ListKeys().size()); }

bool PrefixStore::HasExtendedApi() const { return store_->HasExtendedApi(); }

void PrefixStore::Append(absl::string_view key, absl::string_view value) {
  store_->Append(Prefixed(key), value);
}

std::vector<std::string> PrefixStore::MultiGet(absl::Span<const std::string> keys) {
  return store_->MultiGet(Prefixed(keys));
}

void PrefixStore::MultiSet(absl::Span<const std::string> keys,
                           absl::Span<const std::string> values) {
  store_->MultiSet(Prefixed(keys), values);
}

void PrefixStore::QueuePush(absl::string_view key, absl::string_view value) {
  store_->QueuePush(Prefixed(key), value);
}

std::string PrefixStore::QueuePop(absl::string_view key, bool block, absl::Duration timeout) {
  return store_->QueuePop(Prefixed(key), block, timeout);
}

int64_t PrefixStore::QueueLen(absl::string_view key) { return store_->QueueLen(Prefixed(key)); }

std::vector<std::string> PrefixStore::ListKeys() {
  // The slash belongs to the prefix: "a" must not claim the keys of "ab".
  const std::string prefix = Prefixed(absl::string_view());
  std::vector<std::string> keys;
  for (const std::string& key : store_->ListKeys()) {
    if (absl::StartsWith(key, prefix)) keys.push_back(key.substr(prefix.size()));
  }
  return keys;
}

void PrefixStore::Barrier(absl::string_view key, int64_t world_size, absl::Duration timeout) {
  store_->Barrier(Prefixed(key), world_size, timeout);
}

absl::Duration PrefixStore::timeout() const { return store_->timeout(); }

void PrefixStore::SetTimeout(absl::Duration timeout) { store_->SetTimeout(timeout); }

std::unique_ptr<Store> PrefixStore::Clone() {
  return std::make_unique<PrefixStore>(prefix_, std::shared_ptr<Store>(store_->Clone()));
}

std::string PrefixStore::Describe() const {
  return absl::StrCat("PrefixStore(prefix=", prefix_, ", store=", store_->Describe(), ")");
}

Store& PrefixStore::underlying_non_prefix_store() const {
  Store* store = store_.get();
  while (auto* prefixed = dynamic_cast<PrefixStore*>(store)) store = prefixed->store_.get();
  return *store;
}

}  // namespace rollcall
