// The search that linearize.cc lets loose on each partition of a history's keys.
#ifndef ROLLCALL_FAULT_INJECTION_LINEARIZE_SEARCH_H_
#define ROLLCALL_FAULT_INJECTION_LINEARIZE_SEARCH_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "fault_injection/history.h"
#include "fault_injection/linearize.h"

namespace rollcall::fault {

// What is tried first at each place.
enum class TryOrder {
  kByTime,       // What was called first.
  kUnknownLast,  // What has returned, and then only what may have been in vain.
};

// The search for an order of some operations of a history, a number of steps at a time: Wing and
// Gong's, with Lowe's memory. Not thread-safe.
class PartitionSearch {
 public:
  virtual ~PartitionSearch() = default;

  // Makes at most `steps` steps. True once there is a verdict.
  virtual bool Advance(uint64_t steps) = 0;
  virtual bool violated() const = 0;
  virtual uint64_t steps_made() const = 0;
  // Only if violated(). `history` is the one of the search.
  virtual void Describe(const History& history, LinearizeResult& result) const = 0;
};

// `operations` are indices into `history`: all that touch the keys that they touch, without those
// that failed.
std::unique_ptr<PartitionSearch> NewPartitionSearch(const History& history,
                                                    std::vector<size_t> operations, TryOrder order);

}  // namespace rollcall::fault

#endif  // ROLLCALL_FAULT_INJECTION_LINEARIZE_SEARCH_H_
