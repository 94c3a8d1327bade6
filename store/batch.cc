#include "store/batch.h"

#include <utility>

#include "store/client/store_client.h"
#include "store/protocol/operation.h"
#include "store/protocol/reply.h"
#include "store/wait_error.h"

namespace rollcall {

using client::Pipeline;
using protocol::Operation;
using protocol::OwnedReply;

namespace {

int64_t NumberOf(OwnedReply reply) { return reply.number; }
bool IsReady(OwnedReply reply) { return reply.signal == protocol::kReady; }
bool IsPositive(OwnedReply reply) { return reply.number > 0; }
std::string TextOf(OwnedReply reply) { return std::move(reply.texts[0]); }

std::optional<std::string> TextIfAny(OwnedReply reply) {
  if (reply.texts.empty()) return std::nullopt;
  return std::move(reply.texts[0]);
}

}  // namespace

Batch::Batch(TcpStore& store)
    : store_(store), pipeline_(store.client().options().dialect, store.client().options().limits) {}

template <typename Value, typename Enqueue, typename Convert>
Batch::Result<Value> Batch::Queue(Enqueue enqueue, Convert convert) {
  Result<Value> result;
  ThrowIfError(enqueue([outcome = result.outcome_, convert](absl::StatusOr<OwnedReply> reply) {
    if (reply.ok()) {
      *outcome = convert(*std::move(reply));
    } else {
      *outcome = reply.status();
    }
  }));
  return result;
}

void Batch::Set(absl::string_view key, absl::string_view value) {
  ThrowIfError(pipeline_.Write(Operation::kSet, key, value));
}

void Batch::Append(absl::string_view key, absl::string_view value) {
  ThrowIfError(pipeline_.Write(Operation::kAppend, key, value));
}

void Batch::MultiSet(absl::Span<const std::string> keys, absl::Span<const std::string> values) {
  ThrowIfError(pipeline_.MultiSet(keys, values));
}

void Batch::QueuePush(absl::string_view key, absl::string_view value) {
  ThrowIfError(pipeline_.Write(Operation::kQueuePush, key, value));
}

Batch::Result<std::string> Batch::CompareSet(absl::string_view key, absl::string_view expected,
                                             absl::string_view desired) {
  return Queue<std::string>(
      [&](Pipeline::Done done) {
        return pipeline_.CompareSet(key, expected, desired, std::move(done));
      },
      TextOf);
}

Batch::Result<int64_t> Batch::Add(absl::string_view key, int64_t delta) {
  return Queue<int64_t>(
      [&](Pipeline::Done done) { return pipeline_.Add(key, delta, std::move(done)); }, NumberOf);
}

Batch::Result<bool> Batch::Check(absl::Span<const std::string> keys) {
  return Queue<bool>([&](Pipeline::Done done) { return pipeline_.Check(keys, std::move(done)); },
                     IsReady);
}

Batch::Result<bool> Batch::DeleteKey(absl::string_view key) {
  return Queue<bool>(
      [&](Pipeline::Done done) {
        return pipeline_.OnKey(Operation::kDeleteKey, key, std::move(done));
      },
      IsPositive);
}

Batch::Result<int64_t> Batch::NumKeys() {
  return Queue<int64_t>([&](Pipeline::Done done) { return pipeline_.NumKeys(std::move(done)); },
                        NumberOf);
}

Batch::Result<int64_t> Batch::QueueLen(absl::string_view key) {
  return Queue<int64_t>(
      [&](Pipeline::Done done) {
        return pipeline_.OnKey(Operation::kQueueLen, key, std::move(done));
      },
      NumberOf);
}

Batch::Result<std::optional<std::string>> Batch::Get(absl::string_view key) {
  return Queue<std::optional<std::string>>(
      [&](Pipeline::Done done) { return pipeline_.Get(key, std::move(done)); }, TextIfAny);
}

Batch::Result<std::optional<std::string>> Batch::QueuePop(absl::string_view key) {
  return Queue<std::optional<std::string>>(
      [&](Pipeline::Done done) {
        return pipeline_.OnKey(Operation::kQueuePop, key, std::move(done));
      },
      TextIfAny);
}

void Batch::Run() { Run(store_.timeout()); }

void Batch::Run(absl::Duration timeout) {
  CheckTimeout(timeout);
  ThrowIfError(store_.client().Run(pipeline_, timeout));
}

}  // namespace rollcall
