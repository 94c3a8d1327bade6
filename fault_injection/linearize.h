// Was there one order of all operations, each taking effect at one moment between its call and its
// return, that explains every answer? The search is Wing and Gong's with Lowe's memory of states
// already tried, a partition of the keys at a time (Horn and Kroening: P-compositionality).
#ifndef ROLLCALL_FAULT_INJECTION_LINEARIZE_H_
#define ROLLCALL_FAULT_INJECTION_LINEARIZE_H_

#include <cstdint>
#include <string>
#include <vector>

#include "fault_injection/history.h"

namespace rollcall::fault {

enum class Verdict {
  kLinearizable,
  kViolation,
  kBudgetSpent,  // Not known. Count it as a failure: a check that gives up proves nothing.
};

struct LinearizeOptions {
  // Tries of one operation in one state, over all partitions.
  uint64_t steps_max = 50'000'000;
};

struct LinearizeResult {
  Verdict verdict = Verdict::kLinearizable;
  // Of a violation: the longest order that could be found, the operation that cannot come next
  // although it had returned, and why each candidate does not fit. For people.
  std::string explanation;
  // The same as indices into the history.
  std::vector<size_t> longest_prefix;
  size_t stuck_at = 0;
  uint64_t steps = 0;
};

// Checks against the model of a Store that begins empty. Keys that one operation touches together
// (check, multi_get, multi_set) are checked together, all others apart. The partitions advance in
// turn, so that an easy violation is found before a hard partition is through. A wait of several
// keys needs each to have been there at some moment, not all at one: that is what stores promise.
LinearizeResult CheckLinearizable(const History& history, const LinearizeOptions& options = {});

}  // namespace rollcall::fault

#endif  // ROLLCALL_FAULT_INJECTION_LINEARIZE_H_
