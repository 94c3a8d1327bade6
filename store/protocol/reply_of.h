// What kind of reply each operation has: a reply itself says neither what it is nor what it
// answers.
#ifndef ROLLCALL_STORE_PROTOCOL_REPLY_OF_H_
#define ROLLCALL_STORE_PROTOCOL_REPLY_OF_H_

#include <array>
#include <cstddef>
#include <optional>

#include "store/protocol/operation.h"
#include "store/protocol/reply.h"

namespace rollcall::protocol {

struct ReplyRow {
  Operation operation;
  std::optional<ReplyKind> reply;  // nullopt: the client is told nothing.
};

// Of a request that the store could do. Key events come besides, unasked, after a watch_key.
inline constexpr std::array<ReplyRow, kOperationCount> kReplies = {{
    {Operation::kValidate, std::nullopt},         {Operation::kSet, std::nullopt},
    {Operation::kCompareSet, ReplyKind::kBytes},  {Operation::kGet, ReplyKind::kBytes},
    {Operation::kAdd, ReplyKind::kNumber},        {Operation::kCheck, ReplyKind::kSignal},
    {Operation::kWait, ReplyKind::kSignal},       {Operation::kNumKeys, ReplyKind::kNumber},
    {Operation::kDeleteKey, ReplyKind::kNumber},  {Operation::kAppend, std::nullopt},
    {Operation::kMultiGet, ReplyKind::kTexts},    {Operation::kMultiSet, std::nullopt},
    {Operation::kCancelWait, ReplyKind::kSignal}, {Operation::kPing, ReplyKind::kNonce},
    {Operation::kQueuePush, std::nullopt},        {Operation::kQueuePop, ReplyKind::kPopped},
    {Operation::kQueueLen, ReplyKind::kNumber},   {Operation::kListKeys, ReplyKind::kList},
    {Operation::kBarrier, ReplyKind::kSignal},    {Operation::kWatchKey, ReplyKind::kSignal},
    {Operation::kSession, ReplyKind::kNumber},    {Operation::kNumbered, std::nullopt},
}};

constexpr std::optional<ReplyKind> ReplyOf(Operation operation) {
  return kReplies[static_cast<size_t>(operation)].reply;
}

namespace reply_of_internal {
constexpr bool RepliesStandAtTheirOperations() {
  for (size_t i = 0; i < kReplies.size(); ++i) {
    if (kReplies[i].operation != static_cast<Operation>(i)) return false;
  }
  return true;
}
static_assert(RepliesStandAtTheirOperations(), "ReplyOf indexes kReplies by operation");
}  // namespace reply_of_internal

}  // namespace rollcall::protocol

#endif  // ROLLCALL_STORE_PROTOCOL_REPLY_OF_H_
