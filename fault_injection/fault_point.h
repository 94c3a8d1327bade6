// Where the simulated kernel asks whether a call shall go wrong.
#ifndef ROLLCALL_FAULT_INJECTION_FAULT_POINT_H_
#define ROLLCALL_FAULT_INJECTION_FAULT_POINT_H_

#include <cstddef>
#include <cstdint>
#include <optional>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/span.h"

namespace rollcall::fault {

// One system call about to be made, as faults select it.
struct CallSite {
  absl::string_view host;              // "w1"
  absl::string_view call;              // "connect", "recv", ...
  uint64_t occurrence = 0;             // Of this call on this host, from 1.
  absl::Span<const int> legal_errnos;  // What the call may fail with.
  size_t size_bytes = 0;               // Of a transfer; 0 where there is none.
  absl::string_view actor = {};        // The fiber that calls: "w1", "w1/store-server".
};

// What is to happen instead of, or before, the call. Empty: nothing.
struct CallFault {
  int errno_value = 0;                          // > 0: fail with it, without having done anything.
  std::optional<size_t> transfer_bytes_max;     // Shorten the transfer to this many bytes (>= 1).
  absl::Duration delay = absl::ZeroDuration();  // Block the caller for so long first.
};

// Set on a SimKernel by whoever injects: a plan, a sweep, a test.
class FaultInjector {
 public:
  virtual ~FaultInjector() = default;
  virtual CallFault OnCall(const CallSite& site) = 0;
};

}  // namespace rollcall::fault

#endif  // ROLLCALL_FAULT_INJECTION_FAULT_POINT_H_
