// The parts of which etcd's requests are made.
#ifndef ROLLCALL_STORE_ETCD_ETCD_REQUESTS_H_
#define ROLLCALL_STORE_ETCD_ETCD_REQUESTS_H_

#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"
#include "store/etcd/etcd.pb.h"

namespace rollcall::etcd {

// --- Reads ---
RequestOp ReadKey(const std::string& name);
RequestOp ReadPresence(const std::string& name);
// The first in order of creation of those that begin with `beginning`.
RequestOp ReadFirstCreated(const std::string& beginning);
RequestOp ReadAnyPresence(const std::string& beginning);
RequestOp CountAll(const std::string& beginning);
RequestOp ReadNames(const std::string& beginning);

// --- Changes ---
RequestOp Put(const std::string& name, absl::string_view value, int64_t lease);
RequestOp Delete(const std::string& name);

// --- Conditions ---
Compare IsMissing(const std::string& name);
Compare IsThere(const std::string& name);
// 0: missing.
Compare WasLastChangedAt(const std::string& name, int64_t mod_revision);
Compare WasCreatedAt(const std::string& name, int64_t create_revision);
Compare Holds(const std::string& name, absl::string_view value);

// The key that a read of one found, or null.
const KeyValue* FoundIn(const RangeResponse& read);
const KeyValue* FoundIn(const ResponseOp& response);

}  // namespace rollcall::etcd

#endif  // ROLLCALL_STORE_ETCD_ETCD_REQUESTS_H_
