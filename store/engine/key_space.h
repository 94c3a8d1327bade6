// What is set: the map of keys and values, and the queues. Knows no client.
#ifndef ROLLCALL_STORE_ENGINE_KEY_SPACE_H_
#define ROLLCALL_STORE_ENGINE_KEY_SPACE_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "store/engine/change_log.h"

namespace rollcall::engine {

// Keys that begin with this are rollcall's own marks ("rollcall/rank/3"). Stores put "/" before
// every key of a user, so no user key can begin with it. They can be set, read and awaited like any
// other, but num_keys and list_keys leave them out: torch's clients must not see them.
inline constexpr char kHiddenKeyPrefix[] = "rollcall/";

bool IsHidden(absl::string_view key);

// The number that a value stands for in add and barrier, read as std::stoll reads it: white space,
// a sign, decimal digits; whatever follows them is ignored. InvalidArgument if there is no digit,
// OutOfRange if it does not fit; the message shows the value's beginning.
absl::StatusOr<int64_t> ParseCounter(absl::string_view value);

// Their sum as torch's server has it: it wraps around.
inline int64_t CounterSum(int64_t a, int64_t b) {
  return static_cast<int64_t>(static_cast<uint64_t>(a) + static_cast<uint64_t>(b));
}

// What a key, a queue and an element of one take besides their bytes, about: their share of a table
// and of what the allocator adds.
inline constexpr size_t kKeyOverheadBytes = 128;
inline constexpr size_t kQueueOverheadBytes = 768;
inline constexpr size_t kElementOverheadBytes = 48;

// Pointers and views into it are valid until the next call of a member that is not const.
// Not thread-safe.
class KeySpace {
 public:
  struct Entry {
    absl::string_view key;
    std::string* value = nullptr;
    bool created = false;
    size_t bytes_before = 0;  // The value's, when the entry was given.
  };

  // From now on `log` is told of every change; it must outlive this. nullptr: nobody is.
  void LogTo(ChangeLog* log) { log_ = log; }

  // Nullptr if there is no such key. Queues are not keys.
  const std::string* Find(absl::string_view key) const;
  // The key's entry, made with an empty value if there was none; `key` is moved from only then.
  Entry FindOrCreate(std::string&& key);
  // To be told of every value that was changed through an Entry, once.
  void CountChange(const Entry& entry) {
    value_bytes_ += entry.value->size() - entry.bytes_before;  // Wraps around where it shrank.
    if (log_ != nullptr) log_->KeyChanged(entry.key);
  }
  // Removes the key and gives its last value.
  std::optional<std::string> Erase(absl::string_view key);

  // What check and wait ask: a key, or a queue with something in it.
  bool Exists(absl::string_view name) const;

  void Push(std::string&& queue, std::string&& element);
  // First in, first out. Nothing if there is no such queue, and none is made. A queue ends with its
  // last element.
  std::optional<std::string> Pop(absl::string_view queue);
  size_t QueueLength(absl::string_view queue) const;

  // Without the hidden ones. Sorted: a hash table's own order differs from run to run.
  std::vector<absl::string_view> VisibleKeys() const;
  // Of keys, hidden ones too, and queues' names; of their values and elements. What the tables take
  // besides is not in it, ...
  size_t key_bytes() const { return key_bytes_; }
  size_t value_bytes() const { return value_bytes_; }
  // ... but in this, by the constants above.
  size_t memory_bytes() const {
    return key_bytes_ + value_bytes_ + kKeyOverheadBytes * values_.size() +
           kQueueOverheadBytes * queues_.size() + kElementOverheadBytes * element_count_;
  }
  size_t queue_count() const { return queues_.size(); }
  bool empty() const { return values_.empty() && queues_.empty(); }
  size_t visible_key_count() const { return values_.size() - hidden_key_count_; }

 private:
  absl::flat_hash_map<std::string, std::string> values_;
  // No queue in here is empty.
  absl::flat_hash_map<std::string, std::deque<std::string>> queues_;
  size_t hidden_key_count_ = 0;
  size_t key_bytes_ = 0;
  size_t value_bytes_ = 0;
  size_t element_count_ = 0;  // In queues.
  ChangeLog* log_ = nullptr;
};

// `text` for a log line: its beginning, with what is not printable escaped, in quotes.
std::string Shown(absl::string_view text);

}  // namespace rollcall::engine

#endif  // ROLLCALL_STORE_ENGINE_KEY_SPACE_H_
