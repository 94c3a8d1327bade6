// What a load says to a store, in the protocol of that store; and where each answer ends.
#ifndef ROLLCALL_TOOLS_BENCH_DIALOG_H_
#define ROLLCALL_TOOLS_BENCH_DIALOG_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/container/inlined_vector.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "store/protocol/dialect.h"

namespace rollcall::bench {

// One answer that a request will have. What `form` means is between a dialog and its requests.
struct Expected {
  uint8_t form = 0;
  uint32_t bytes = 0;
};

// A request, encoded. Some have no answer at all (a TCPStore's set).
struct Call {
  std::string bytes;
  absl::InlinedVector<Expected, 1> answers;
};

// A number that a hold and its wake share, for a server that knows no keys.
using Gate = uint16_t;

// One protocol. Immutable, so that all clients of a load share one.
class Dialog {
 public:
  virtual ~Dialog() = default;

  // What a client says first. It may be empty (torch 1.x has no greeting).
  virtual Call Hello() const = 0;
  // Shown when the hello is answered, to a server that asks for a token.
  virtual std::optional<Call> Token() const { return std::nullopt; }
  // The shortest question that has an answer.
  virtual Call Probe() const { return Hello(); }
  virtual Call Set(absl::string_view key, absl::string_view value) const = 0;
  // Of a key that is there, with a value of `value_bytes`.
  virtual Call Get(absl::string_view key, size_t value_bytes) const = 0;
  // To a key that MakeCounter, or another Add, has made.
  virtual Call Add(absl::string_view key, int64_t delta) const = 0;
  virtual Call MakeCounter(absl::string_view key) const { return Add(key, 0); }
  // Asks for a key that is there, or soon will be. See NotYet.
  virtual Call Await(absl::string_view key) const = 0;
  // Waits until every one of `keys` was woken: the answer comes with the last. Protocols that can
  // only wait for one of several keys wait for the first that is woken. See NotYet.
  virtual Call Hold(absl::Span<const std::string> keys, Gate gate) const = 0;
  // Wakes `holders` clients that hold `key`, and those that will.
  virtual Call Wake(absl::string_view key, Gate gate, int holders) const = 0;

  // Puts an item into a queue; takes one out, waiting for it: calls to be made one after the other.
  // Unimplemented where a protocol has no queue that can be waited for.
  virtual absl::StatusOr<Call> Push(absl::string_view queue, Gate gate,
                                    absl::string_view item) const = 0;
  virtual absl::StatusOr<std::vector<Call>> Take(absl::string_view queue, Gate gate,
                                                 size_t item_bytes) const = 0;

  // False where a hold is made of polling: then there are no waiters on the server.
  virtual bool HoldsOnServer() const { return true; }

  // The size of the whole answer that begins with `in`, which may be more than `in` has; nullopt
  // while too little of it is there to say. An answer that is an error has the size 0.
  virtual std::optional<uint64_t> AnswerBytes(Expected expected, absl::string_view in) const = 0;
  // For an answer to Await or Hold: the key is not there, and the same must be asked again.
  virtual bool NotYet(absl::string_view) const { return false; }
  // The number that an Add was answered with; nullopt where the server does not count.
  virtual std::optional<int64_t> Number(absl::string_view answer) const = 0;
};

// `token`: null for a server that asks for none.
std::unique_ptr<Dialog> MakeStoreDialog(protocol::Dialect dialect,
                                        std::shared_ptr<const std::string> token = nullptr);
// The dialog of the echo limit (echo_server.h): the sizes of a modern TCPStore's.
std::unique_ptr<Dialog> MakeEchoDialog();
std::unique_ptr<Dialog> MakeRedisDialog();
std::unique_ptr<Dialog> MakeMemcachedDialog();

}  // namespace rollcall::bench

#endif  // ROLLCALL_TOOLS_BENCH_DIALOG_H_
