// What a client can ask of a store, whatever the dialect in which it asks.
#ifndef ROLLCALL_STORE_PROTOCOL_OPERATION_H_
#define ROLLCALL_STORE_PROTOCOL_OPERATION_H_

#include <array>
#include <cstddef>
#include <cstdint>

#include "absl/strings/string_view.h"

namespace rollcall::protocol {

// The values are ours alone: each dialect's opcodes are in dialect.h.
enum class Operation : uint8_t {
  kValidate,
  kSet,
  kCompareSet,
  kGet,
  kAdd,
  kCheck,
  kWait,
  kNumKeys,
  kDeleteKey,
  kAppend,
  kMultiGet,
  kMultiSet,
  kCancelWait,
  kPing,
  kQueuePush,
  kQueuePop,
  kQueueLen,
  kListKeys,
  kBarrier,
  kWatchKey,
  // Ours, of servers that keep a journal (FORMAT.md).
  kSession,
  kNumbered,
};

inline constexpr int kOperationCount = static_cast<int>(Operation::kNumbered) + 1;

enum class KeyFields : uint8_t {
  kNone,
  kOne,
  kCounted,  // A count, then that many.
};

enum class NumberField : uint8_t { kNone, kI64, kU32 };

// What a request carries, in the order in which it travels: the keys, each followed at once by its
// values, then the number. Parser and writer are driven by this table.
struct OperationRow {
  Operation operation;
  absl::string_view name;  // "set", "compare_set": what a user knows the operation by.
  KeyFields keys;
  uint8_t values_per_key;
  NumberField number;
};

inline constexpr std::array<OperationRow, kOperationCount> kOperations = {{
    {Operation::kValidate, "validate", KeyFields::kNone, 0, NumberField::kU32},
    {Operation::kSet, "set", KeyFields::kOne, 1, NumberField::kNone},
    {Operation::kCompareSet, "compare_set", KeyFields::kOne, 2, NumberField::kNone},
    {Operation::kGet, "get", KeyFields::kOne, 0, NumberField::kNone},
    {Operation::kAdd, "add", KeyFields::kOne, 0, NumberField::kI64},
    {Operation::kCheck, "check", KeyFields::kCounted, 0, NumberField::kNone},
    {Operation::kWait, "wait", KeyFields::kCounted, 0, NumberField::kNone},
    {Operation::kNumKeys, "num_keys", KeyFields::kNone, 0, NumberField::kNone},
    {Operation::kDeleteKey, "delete_key", KeyFields::kOne, 0, NumberField::kNone},
    {Operation::kAppend, "append", KeyFields::kOne, 1, NumberField::kNone},
    {Operation::kMultiGet, "multi_get", KeyFields::kCounted, 0, NumberField::kNone},
    {Operation::kMultiSet, "multi_set", KeyFields::kCounted, 1, NumberField::kNone},
    {Operation::kCancelWait, "cancel_wait", KeyFields::kNone, 0, NumberField::kNone},
    {Operation::kPing, "ping", KeyFields::kNone, 0, NumberField::kU32},
    {Operation::kQueuePush, "queue_push", KeyFields::kOne, 1, NumberField::kNone},
    {Operation::kQueuePop, "queue_pop", KeyFields::kOne, 0, NumberField::kNone},
    {Operation::kQueueLen, "queue_len", KeyFields::kOne, 0, NumberField::kNone},
    {Operation::kListKeys, "list_keys", KeyFields::kNone, 0, NumberField::kNone},
    {Operation::kBarrier, "barrier", KeyFields::kOne, 0, NumberField::kI64},
    {Operation::kWatchKey, "watch_key", KeyFields::kOne, 0, NumberField::kNone},
    {Operation::kSession, "session", KeyFields::kOne, 0, NumberField::kNone},
    {Operation::kNumbered, "numbered", KeyFields::kNone, 0, NumberField::kI64},
}};

constexpr const OperationRow& RowOf(Operation operation) {
  return kOperations[static_cast<size_t>(operation)];
}

// RowOf(operation).name.
absl::string_view OperationName(Operation operation);

}  // namespace rollcall::protocol

#endif  // ROLLCALL_STORE_PROTOCOL_OPERATION_H_
