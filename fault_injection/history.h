// What clients asked of a store and what they were told, with the times: the material of which
// linearize.h makes a verdict. From a simulation, or from a real run.
#ifndef ROLLCALL_FAULT_INJECTION_HISTORY_H_
#define ROLLCALL_FAULT_INJECTION_HISTORY_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace rollcall::fault {

enum class HistoryKind : uint8_t {
  kSet,         // keys[0], values[0]
  kCompareSet,  // keys[0], values[0] expected, values[1] desired; results[0]
  kGet,         // keys[0]; results[0], empty also where the key was missing
  kAdd,         // keys[0], number; result_number
  kCheck,       // keys; result_number 1 or 0
  kWait,        // keys; came back when each had been there
  kDeleteKey,   // keys[0]; result_number 1 or 0
  kAppend,      // keys[0], values[0]
  kMultiGet,    // keys; results, one a key, empty also where it was missing
  kMultiSet,    // keys, values
  kQueuePush,   // keys[0], values[0]
  kQueuePop,    // keys[0]; results[0]
  kQueueEmpty,  // keys[0]: a pop that was told the queue is empty
  kQueueLen,    // keys[0]; result_number
};
absl::string_view HistoryKindName(HistoryKind kind);

enum class Outcome : uint8_t {
  kOk,
  kFailed,   // Certainly not applied: it says nothing of the store.
  kUnknown,  // May have been applied, may still be.
};

// One call.
struct Operation {
  int client = 0;  // A client makes one call at a time, unless the last one's outcome is unknown.
  HistoryKind kind = HistoryKind::kGet;
  std::vector<std::string> keys;
  std::vector<std::string> values;
  int64_t number = 0;

  Outcome outcome = Outcome::kOk;
  std::vector<std::string> results;
  int64_t result_number = 0;

  absl::Time invoked;
  absl::Time returned;  // Of no meaning where the outcome is unknown.

  // One line, which HistoryFromText reads:
  //   3 compare_set "k" = "old" "new" -> "new" @ 1500000 2000000
  //   CLIENT KIND keys... [= values...] [+ NUMBER] -> results... [NUMBER] @ INVOKED RETURNED
  // "-> failed" and "-> unknown" for those outcomes; times in nanoseconds since the Unix epoch.
  std::string ToString() const;
};

using History = std::vector<Operation>;  // In any order.

// One operation a line; a line that begins with # is a comment. InvalidArgument names the line.
std::string HistoryToText(const History& history);
absl::StatusOr<History> HistoryFromText(absl::string_view text);

}  // namespace rollcall::fault

#endif  // ROLLCALL_FAULT_INJECTION_HISTORY_H_
