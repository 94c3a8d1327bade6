// What a client can ask of a store, whatever the dialect in which it asks.
#ifndef ROLLCALL_STORE_PROTOCOL_OPERATION_H_
#define ROLLCALL_STORE_PROTOCOL_OPERATION_H_

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
};

inline constexpr int kOperationCount = static_cast<int>(Operation::kWatchKey) + 1;

// "set", "compare_set", ...: the name a user knows the operation by.
absl::string_view OperationName(Operation operation);

}  // namespace rollcall::protocol

#endif  // ROLLCALL_STORE_PROTOCOL_OPERATION_H_
