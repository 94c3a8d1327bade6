// Which faults a sweep makes of the calls that a workload was seen to make.
#ifndef ROLLCALL_FAULT_INJECTION_SWEEP_SWEEP_PLAN_H_
#define ROLLCALL_FAULT_INJECTION_SWEEP_SWEEP_PLAN_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "absl/types/span.h"
#include "fault_injection/sweep/fault_site.h"

namespace rollcall::fault {

struct SweepLimits {
  // Of the calls of one kind that one host makes in one operation and phase, so many of the first,
  // and the last, fail in every way; each one in between in one way, all ways taking turns.
  size_t first_calls = 1;
  // Every call in every way.
  bool all_faults = false;
  // Pairs of one workload.
  size_t pairs = 200;
};

// Each legal error of a call, transfers shortened to 1 byte, to half and to all but one, and a
// delay.
std::vector<PlannedFault> FaultsAt(const FaultSite& site);

std::vector<PlannedFault> SingleFaults(absl::Span<const FaultSite> sites,
                                       const SweepLimits& limits);

// Whether faults in it are worth combining: connect, accept4, recv, send, sendmsg.
bool IsForPairs(const FaultSite& site);

// A number in [0, n) that hangs on `key` and `draw` alone.
size_t DrawFrom(uint64_t key, uint64_t draw, size_t n);

}  // namespace rollcall::fault

#endif  // ROLLCALL_FAULT_INJECTION_SWEEP_SWEEP_PLAN_H_
