// The interface that users hold: a key-value store on which ranks meet.
#ifndef ROLLCALL_STORE_STORE_H_
#define ROLLCALL_STORE_STORE_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/span.h"

namespace rollcall {

// Torch's default: five minutes.
constexpr absl::Duration kDefaultTimeout = absl::Minutes(5);

// Thread-safe: a thread that waits in one call does not hold up another thread's call on the same
// object. Within one thread, calls take effect in program order.
//
// Keys and values are any bytes, keys may be empty. Every call is bounded by one absolute deadline:
// now + timeout(), or the time-out given. A time-out of zero asks whether the answer is there now
// (and still succeeds if it is); InfiniteDuration() waits for ever; a negative one is
// std::invalid_argument. A call that timed out leaves the store usable.
//
// Raises DistStoreError (the store's answer is not what was asked for), DistNetworkError (the store
// cannot be reached or was lost) and std::invalid_argument; store/error_code.h lists the codes.
class Store {
 public:
  virtual ~Store() = default;

  // Stores `value` under `key`, whatever was there.
  virtual void Set(absl::string_view key, absl::string_view value) = 0;

  // Stores `desired` if the value is `expected`, or if the key is missing and `expected` is empty.
  // Returns what the key holds afterwards; where the key is missing and `expected` is not empty,
  // nothing is stored and `expected` comes back, as torch has it.
  virtual std::string CompareSet(absl::string_view key, absl::string_view expected,
                                 absl::string_view desired) = 0;

  // Waits for the key and returns its value. WAIT_TIMEOUT.
  std::string Get(absl::string_view key) { return Get(key, timeout()); }
  virtual std::string Get(absl::string_view key, absl::Duration timeout) = 0;

  // Adds to the decimal number under `key` (a missing one counts as 0) and returns the sum, which
  // wraps around as two's complement. NOT_A_NUMBER.
  virtual int64_t Add(absl::string_view key, int64_t delta) = 0;

  // True if every key exists (or is a queue with something in it).
  virtual bool Check(absl::Span<const std::string> keys) = 0;

  // Returns once each key has existed at some moment since the call. WAIT_TIMEOUT, which names the
  // keys that are missing.
  void Wait(absl::Span<const std::string> keys) { Wait(keys, timeout()); }
  virtual void Wait(absl::Span<const std::string> keys, absl::Duration timeout) = 0;

  // True if there was such a key. Does not touch queues.
  virtual bool DeleteKey(absl::string_view key) = 0;

  // How many keys there are, other users' and the store's own bookkeeping included, queues not.
  virtual int64_t NumKeys() = 0;

  // --- The extended operations; UNSUPPORTED where HasExtendedApi() is false ---
  virtual bool HasExtendedApi() const = 0;
  // Appends to the value; creates it if missing.
  virtual void Append(absl::string_view key, absl::string_view value) = 0;
  // Waits for all keys; values in the order of the keys. WAIT_TIMEOUT.
  virtual std::vector<std::string> MultiGet(absl::Span<const std::string> keys) = 0;
  // SIZE_MISMATCH.
  virtual void MultiSet(absl::Span<const std::string> keys,
                        absl::Span<const std::string> values) = 0;

  // --- Queues: first in, first out; their names are apart from those of keys. UNSUPPORTED where
  // the store has none. ---
  virtual void QueuePush(absl::string_view key, absl::string_view value) = 0;
  // With `block`, waits for something to pop (WAIT_TIMEOUT); without, QUEUE_EMPTY at once. Of
  // several that wait, each gets a value of its own.
  std::string QueuePop(absl::string_view key, bool block = true) {
    return QueuePop(key, block, timeout());
  }
  virtual std::string QueuePop(absl::string_view key, bool block, absl::Duration timeout) = 0;
  virtual int64_t QueueLen(absl::string_view key) = 0;

  // The names of all keys, in no order.
  virtual std::vector<std::string> ListKeys() = 0;

  // Returns once `world_size` callers have come; world_size <= 0 passes at once. One use per key,
  // as in torch: collectives.h has one that can be used again and names who is missing.
  // BARRIER_TIMEOUT.
  void Barrier(absl::string_view key, int64_t world_size) { Barrier(key, world_size, timeout()); }
  virtual void Barrier(absl::string_view key, int64_t world_size, absl::Duration timeout) = 0;

  // What calls without a time-out of their own use.
  virtual absl::Duration timeout() const = 0;
  virtual void SetTimeout(absl::Duration timeout) = 0;

  // Another object on the same data, with the same time-out. It never hosts a server.
  virtual std::unique_ptr<Store> Clone() = 0;

  // For a log: what it is and where.
  virtual std::string Describe() const = 0;
};

}  // namespace rollcall

#endif  // ROLLCALL_STORE_STORE_H_
