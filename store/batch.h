// Many operations on a TcpStore for one round trip.
#ifndef ROLLCALL_STORE_BATCH_H_
#define ROLLCALL_STORE_BATCH_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "store/client/pipeline.h"
#include "store/dist_error.h"
#include "store/protocol/reply_parser.h"
#include "store/tcp_store.h"

namespace rollcall {

// Operations are queued, and sent together by Run:
//
//   Batch batch(store);
//   batch.Set("rank3/address", "10.0.0.3:4000");
//   const Batch::Result<int64_t> joined = batch.Add("joined", 1);
//   const Batch::Result<std::optional<std::string>> leader = batch.Get("leader");
//   batch.Run();
//   if (joined.value() == world_size && leader.value().has_value()) ...
//
// The server applies them in the order in which they were queued; those of other clients may come
// between. None of them waits: an operation that does (wait, barrier, a blocking get or queue_pop)
// would hold up all behind it, and stays a call of its own. Up to 32 KiB of requests are one send
// and, as far as their answers come together, one receive; more goes in several. On torch's servers
// each Get that finds its key is a round trip more.
//
// Not thread-safe; but several batches and other calls may use one store at the same time, each in
// its turn: a batch has the store's connection to itself while it runs.
class Batch {
 public:
  // The outcome of one operation, known once Run is over. Copies are of one outcome, and may
  // outlive the batch and the store.
  template <typename Value>
  class Result {
   public:
    // True if the server answered this operation, even where the run as a whole failed.
    bool is_known() const { return outcome_->ok(); }
    // Raises what the run failed with before this was answered: as of then it is not known whether
    // the operation was applied. std::invalid_argument before Run.
    const Value& value() const {
      ThrowIfError(outcome_->status());
      return outcome_->value();
    }

   private:
    friend class Batch;
    Result()
        : outcome_(std::make_shared<absl::StatusOr<Value>>(
              absl::InvalidArgumentError("the batch has not been run"))) {}
    std::shared_ptr<absl::StatusOr<Value>> outcome_;
  };

  // `store` must outlive the batch.
  explicit Batch(TcpStore& store);

  // Each raises at once what can be known at once, as the store's own call would (KEY_TOO_LONG,
  // VALUE_TOO_LARGE, TOO_MANY_KEYS, SIZE_MISMATCH, UNSUPPORTED), and then queues nothing.
  void Set(absl::string_view key, absl::string_view value);
  void Append(absl::string_view key, absl::string_view value);
  void MultiSet(absl::Span<const std::string> keys, absl::Span<const std::string> values);
  void QueuePush(absl::string_view key, absl::string_view value);
  Result<std::string> CompareSet(absl::string_view key, absl::string_view expected,
                                 absl::string_view desired);
  Result<int64_t> Add(absl::string_view key, int64_t delta);
  Result<bool> Check(absl::Span<const std::string> keys);
  Result<bool> DeleteKey(absl::string_view key);
  Result<int64_t> NumKeys();
  Result<int64_t> QueueLen(absl::string_view key);
  // The value if the key is there, as the server comes to it. A key that is deleted at that very
  // moment can give an empty one.
  Result<std::optional<std::string>> Get(absl::string_view key);
  // The first of the queue, if there is one.
  Result<std::optional<std::string>> QueuePop(absl::string_view key);

  size_t size() const { return pipeline_.size(); }

  // Sends what is queued and returns once the server has applied all of it, writes too: unlike
  // Store::Set, a write of a batch is confirmed. At most until `timeout`, or the store's own.
  // Raises what the store's calls raise: CONNECTION_LOST, REPLY_TIMEOUT, CLOSED, PROTOCOL, and
  // NOT_A_NUMBER where it was an Add that the server hung up on. What was answered until then is
  // known, and nothing is sent twice. Empty afterwards, and ready to be filled again.
  void Run();
  void Run(absl::Duration timeout);

 private:
  // Queues by `enqueue(done)`; `convert` makes of a reply the value.
  template <typename Value, typename Enqueue, typename Convert>
  static Result<Value> Queue(Enqueue enqueue, Convert convert);

  TcpStore& store_;
  client::Pipeline pipeline_;
};

}  // namespace rollcall

#endif  // ROLLCALL_STORE_BATCH_H_
