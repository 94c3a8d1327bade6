#include "store/etcd/etcd_requests.h"

#include "store/etcd/etcd_names.h"

namespace rollcall::etcd {

RequestOp ReadKey(const std::string& name) {
  RequestOp read;
  read.mutable_request_range()->set_key(name);
  return read;
}

RequestOp ReadPresence(const std::string& name) {
  RequestOp read = ReadKey(name);
  read.mutable_request_range()->set_keys_only(true);
  return read;
}

namespace {

RequestOp ReadAll(const std::string& beginning) {
  RequestOp read = ReadKey(beginning);
  read.mutable_request_range()->set_range_end(EndOf(beginning));
  return read;
}

}  // namespace

RequestOp ReadFirstCreated(const std::string& beginning) {
  RequestOp read = ReadAll(beginning);
  RangeRequest& range = *read.mutable_request_range();
  range.set_sort_target(RangeRequest::CREATE);
  range.set_sort_order(RangeRequest::ASCEND);
  range.set_limit(1);
  return read;
}

RequestOp ReadAnyPresence(const std::string& beginning) {
  RequestOp read = ReadAll(beginning);
  read.mutable_request_range()->set_keys_only(true);
  read.mutable_request_range()->set_limit(1);
  return read;
}

RequestOp CountAll(const std::string& beginning) {
  RequestOp read = ReadAll(beginning);
  read.mutable_request_range()->set_count_only(true);
  return read;
}

RequestOp ReadNames(const std::string& beginning) {
  RequestOp read = ReadAll(beginning);
  read.mutable_request_range()->set_keys_only(true);
  return read;
}

RequestOp Put(const std::string& name, absl::string_view value, int64_t lease) {
  RequestOp change;
  PutRequest& put = *change.mutable_request_put();
  put.set_key(name);
  put.set_value(value.data(), value.size());
  put.set_lease(lease);
  return change;
}

RequestOp Delete(const std::string& name) {
  RequestOp change;
  change.mutable_request_delete_range()->set_key(name);
  return change;
}

Compare IsMissing(const std::string& name) { return WasLastChangedAt(name, 0); }

Compare IsThere(const std::string& name) {
  Compare compare;
  compare.set_key(name);
  compare.set_target(Compare::VERSION);
  compare.set_result(Compare::GREATER);
  compare.set_version(0);
  return compare;
}

Compare WasLastChangedAt(const std::string& name, int64_t mod_revision) {
  Compare compare;
  compare.set_key(name);
  compare.set_target(Compare::MOD);
  compare.set_mod_revision(mod_revision);
  return compare;
}

Compare WasCreatedAt(const std::string& name, int64_t create_revision) {
  Compare compare;
  compare.set_key(name);
  compare.set_target(Compare::CREATE);
  compare.set_create_revision(create_revision);
  return compare;
}

Compare Holds(const std::string& name, absl::string_view value) {
  Compare compare;
  compare.set_key(name);
  compare.set_target(Compare::VALUE);
  compare.set_value(value.data(), value.size());
  return compare;
}

const KeyValue* FoundIn(const RangeResponse& read) {
  return read.kvs_size() == 0 ? nullptr : &read.kvs(0);
}

const KeyValue* FoundIn(const ResponseOp& response) { return FoundIn(response.response_range()); }

}  // namespace rollcall::etcd
