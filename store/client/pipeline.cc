#include "store/client/pipeline.h"

#include "absl/strings/str_cat.h"
#include "store/client/request_limits.h"
#include "store/client/wire_key.h"
#include "store/dist_error.h"
#include "store/protocol/request_writer.h"
#include "store/wait_error.h"

namespace rollcall::client {

using protocol::Operation;

absl::Status Pipeline::Enqueue(Item item, const absl::Status& written) {
  if (!written.ok()) {
    const absl::string_view name = protocol::OperationName(item.operation);
    return StoreStatus(
        ErrorCode::kUnsupported,
        absl::StrCat(name, " does not exist in the ", protocol::DialectName(dialect_), " dialect"),
        {.operation = std::string(name)});
  }
  items_.push_back(std::move(item));
  return absl::OkStatus();
}

absl::Status Pipeline::Write(Operation operation, absl::string_view key, absl::string_view value) {
  const std::string wire_key = WireKey(key);
  absl::Status within =
      CheckLimits(limits_, protocol::OperationName(operation), {&wire_key, 1}, {&value, 1});
  if (!within.ok()) return within;
  Item item;
  item.operation = operation;
  item.key = std::string(key);
  const absl::Status written =
      protocol::AppendKeyValueRequest(dialect_, operation, wire_key, value, item.request);
  return Enqueue(std::move(item), written);
}

absl::Status Pipeline::MultiSet(absl::Span<const std::string> keys,
                                absl::Span<const std::string> values) {
  if (absl::Status same = CheckSameSize(keys.size(), values.size()); !same.ok()) return same;
  const std::vector<std::string> wire_keys = WireKeys(keys);
  const std::vector<absl::string_view> value_views(values.begin(), values.end());
  absl::Status within = CheckLimits(limits_, "multi_set", wire_keys, value_views);
  if (!within.ok()) return within;
  Item item;
  item.operation = Operation::kMultiSet;
  const absl::Status written = protocol::AppendMultiSet(dialect_, wire_keys, values, item.request);
  return Enqueue(std::move(item), written);
}

absl::Status Pipeline::CompareSet(absl::string_view key, absl::string_view expected,
                                  absl::string_view desired, Done done) {
  const std::string wire_key = WireKey(key);
  absl::Status within = CheckLimits(limits_, "compare_set", {&wire_key, 1}, {expected, desired});
  if (!within.ok()) return within;
  Item item;
  item.operation = Operation::kCompareSet;
  item.key = std::string(key);
  item.done = std::move(done);
  const absl::Status written =
      protocol::AppendCompareSet(dialect_, wire_key, expected, desired, item.request);
  return Enqueue(std::move(item), written);
}

absl::Status Pipeline::Add(absl::string_view key, int64_t delta, Done done) {
  const std::string wire_key = WireKey(key);
  absl::Status within = CheckLimits(limits_, "add", {&wire_key, 1});
  if (!within.ok()) return within;
  Item item;
  item.operation = Operation::kAdd;
  item.key = std::string(key);
  item.done = std::move(done);
  const absl::Status written =
      protocol::AppendKeyNumberRequest(dialect_, Operation::kAdd, wire_key, delta, item.request);
  return Enqueue(std::move(item), written);
}

absl::Status Pipeline::OnKey(Operation operation, absl::string_view key, Done done) {
  const std::string wire_key = WireKey(key);
  absl::Status within = CheckLimits(limits_, protocol::OperationName(operation), {&wire_key, 1});
  if (!within.ok()) return within;
  Item item;
  item.operation = operation;
  item.key = std::string(key);
  item.done = std::move(done);
  const absl::Status written =
      protocol::AppendKeyRequest(dialect_, operation, wire_key, item.request);
  return Enqueue(std::move(item), written);
}

absl::Status Pipeline::Check(absl::Span<const std::string> keys, Done done) {
  const std::vector<std::string> wire_keys = WireKeys(keys);
  absl::Status within = CheckLimits(limits_, "check", wire_keys);
  if (!within.ok()) return within;
  Item item;
  item.operation = Operation::kCheck;
  item.done = std::move(done);
  const absl::Status written =
      protocol::AppendKeysRequest(dialect_, Operation::kCheck, wire_keys, item.request);
  return Enqueue(std::move(item), written);
}

absl::Status Pipeline::Get(absl::string_view key, Done done) {
  const std::string wire_key = WireKey(key);
  absl::Status within = CheckLimits(limits_, "get", {&wire_key, 1});
  if (!within.ok()) return within;
  Item item;
  item.operation = Operation::kGet;
  item.key = std::string(key);
  item.done = std::move(done);
  absl::Status written =
      protocol::AppendKeysRequest(dialect_, Operation::kCheck, {&wire_key, 1}, item.request);
  written.Update(protocol::AppendKeyRequest(dialect_, Operation::kGet, wire_key, item.get));
  return Enqueue(std::move(item), written);
}

absl::Status Pipeline::NumKeys(Done done) {
  Item item;
  item.operation = Operation::kNumKeys;
  item.done = std::move(done);
  const absl::Status written =
      protocol::AppendBareRequest(dialect_, Operation::kNumKeys, item.request);
  return Enqueue(std::move(item), written);
}

}  // namespace rollcall::client
