#include "audited_store.h"

#include <utility>

AuditedStore::AuditedStore(std::shared_ptr<rollcall::Store> store, std::shared_ptr<AuditLog> log)
    : PrefixStore("audited", std::move(store)), log_(std::move(log)) {}

void AuditedStore::Set(absl::string_view key, absl::string_view value) {
  PrefixStore::Set(key, value);
  log_->RecordWrite();
}

bool AuditedStore::DeleteKey(absl::string_view key) {
  const bool deleted = PrefixStore::DeleteKey(key);
  log_->RecordWrite();
  return deleted;
}

std::unique_ptr<rollcall::Store> AuditedStore::Clone() {
  return std::make_unique<AuditedStore>(underlying_store().Clone(), log_);
}
