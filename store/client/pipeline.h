// Requests that wait to be sent together, and what is to become of their replies.
#ifndef ROLLCALL_STORE_CLIENT_PIPELINE_H_
#define ROLLCALL_STORE_CLIENT_PIPELINE_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "store/protocol/dialect.h"
#include "store/protocol/limits.h"
#include "store/protocol/operation.h"
#include "store/protocol/reply.h"
#include "store/protocol/reply_parser.h"

namespace rollcall::client {

// Filled here, sent by StoreClient::Run. Each method queues one request, or says why it cannot be
// sent and queues nothing: KEY_TOO_LONG, VALUE_TOO_LARGE, TOO_MANY_KEYS, UNSUPPORTED. No I/O; not
// thread-safe.
class Pipeline {
 public:
  // Called at most once, by Run: with the reply, or with what the run failed with before it came.
  using Done = absl::AnyInvocable<void(absl::StatusOr<protocol::OwnedReply>)>;

  struct Item {
    protocol::Operation operation = protocol::Operation::kPing;
    std::string key;  // As the user named it; of an operation on one key.
    std::string request;
    // Of a get: to be sent once the check, which is `request`, has found the key; or along with it.
    std::string get;
    Done done;  // Null: there is no reply.
  };

  Pipeline(protocol::Dialect dialect, const protocol::Limits& limits)
      : dialect_(dialect), limits_(limits) {}

  // set, append, queue_push
  absl::Status Write(protocol::Operation operation, absl::string_view key, absl::string_view value);
  absl::Status MultiSet(absl::Span<const std::string> keys, absl::Span<const std::string> values);
  absl::Status CompareSet(absl::string_view key, absl::string_view expected,
                          absl::string_view desired, Done done);
  absl::Status Add(absl::string_view key, int64_t delta, Done done);
  // delete_key, queue_len, queue_pop
  absl::Status OnKey(protocol::Operation operation, absl::string_view key, Done done);
  absl::Status Check(absl::Span<const std::string> keys, Done done);
  // `done` gets the value as texts[0], or no text where the key is not there.
  absl::Status Get(absl::string_view key, Done done);
  absl::Status NumKeys(Done done);

  size_t size() const { return items_.size(); }
  // What is queued, which is then empty.
  std::vector<Item> Take() { return std::exchange(items_, {}); }

 private:
  absl::Status Enqueue(Item item, const absl::Status& written);

  const protocol::Dialect dialect_;
  const protocol::Limits limits_;
  std::vector<Item> items_;
};

}  // namespace rollcall::client

#endif  // ROLLCALL_STORE_CLIENT_PIPELINE_H_
