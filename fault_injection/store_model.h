// The store as a sequential object: what each operation does to a state, and what it may answer.
#ifndef ROLLCALL_FAULT_INJECTION_STORE_MODEL_H_
#define ROLLCALL_FAULT_INJECTION_STORE_MODEL_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "fault_injection/history.h"

namespace rollcall::fault {

// The state of some keys: for key i, slot 2i is its value and slot 2i + 1 its queue, both by the
// number under which StoreModel keeps texts and queues. States are small, and equal where they are
// the same.
using ModelState = std::vector<uint32_t>;

// Not thread-safe.
class StoreModel {
 public:
  // The value of a key that is not there.
  static constexpr uint32_t kMissing = 0;

  StoreModel();

  // An operation with its keys and texts as numbers, so that trying it costs no text.
  struct Step {
    HistoryKind kind;
    bool answered = true;        // False: any answer fits.
    std::vector<uint32_t> keys;  // Indices into the partition's keys.
    std::vector<uint32_t> values;
    std::vector<uint32_t> results;
    int64_t number = 0;
    int64_t result_number = 0;
  };

  // `key_index` maps the partition's keys to their indices.
  Step Prepare(const Operation& operation,
               const absl::flat_hash_map<absl::string_view, uint32_t>& key_index);

  // False if the operation cannot take effect in `state` with the answer it got; else `state` is
  // what it leaves.
  bool Apply(const Step& step, ModelState& state);

  // Why it cannot: `key "k" holds "a"`. `keys` are the names of the step's.
  std::string Explain(const Step& step, absl::Span<const std::string> keys,
                      const ModelState& state) const;

 private:
  static constexpr uint32_t kEmptyQueue = 0;
  struct Queue {
    uint32_t element = 0;  // The last one pushed.
    uint32_t before = kEmptyQueue;
    uint32_t length = 0;
  };

  uint32_t Text(absl::string_view text);
  uint32_t Pushed(uint32_t queue, uint32_t element);
  // The queue without its first element, which goes to `first`.
  uint32_t Popped(uint32_t queue, uint32_t& first);
  // A get waits and then reads: what is gone by then reads as empty, see Store::Get of TcpStore.
  // That it was there before is for a wait in the history to say.
  bool Reads(uint32_t result, uint32_t value) const;
  bool ApplyAdd(const Step& step, uint32_t& value);
  std::string Shown(uint32_t value) const;

  std::vector<std::string> texts_;  // texts_[0] stands for a missing key.
  absl::flat_hash_map<std::string, uint32_t> text_numbers_;
  std::vector<Queue> queues_;  // A queue is its last element and the queue before it.
  absl::flat_hash_map<std::pair<uint32_t, uint32_t>, uint32_t> queue_numbers_;
};

}  // namespace rollcall::fault

#endif  // ROLLCALL_FAULT_INJECTION_STORE_MODEL_H_
