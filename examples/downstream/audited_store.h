// A Store of our own: a part of another store, which knows how often it was written to.
#ifndef DOWNSTREAM_AUDITED_STORE_H_
#define DOWNSTREAM_AUDITED_STORE_H_

#include <atomic>
#include <cstdint>
#include <memory>

#include "absl/strings/string_view.h"
#include "store/prefix_store.h"
#include "store/store.h"

// How often the stores that share it were written to. Thread-safe.
class AuditLog {
 public:
  void RecordWrite() { ++writes_; }
  int64_t writes() const { return writes_; }

 private:
  std::atomic<int64_t> writes_ = 0;
};

// Records Set and DeleteKey; all else is PrefixStore's. Clones share the log.
class AuditedStore : public rollcall::PrefixStore {
 public:
  AuditedStore(std::shared_ptr<rollcall::Store> store, std::shared_ptr<AuditLog> log);

  void Set(absl::string_view key, absl::string_view value) override;
  bool DeleteKey(absl::string_view key) override;
  std::unique_ptr<rollcall::Store> Clone() override;

 private:
  const std::shared_ptr<AuditLog> log_;
};

#endif  // DOWNSTREAM_AUDITED_STORE_H_
