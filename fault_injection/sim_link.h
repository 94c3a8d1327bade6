// One direction of the way between two simulated hosts.
#ifndef ROLLCALL_FAULT_INJECTION_SIM_LINK_H_
#define ROLLCALL_FAULT_INJECTION_SIM_LINK_H_

#include <cstddef>
#include <cstdint>

#include "absl/time/time.h"

namespace rollcall::fault {

struct LinkOptions {
  absl::Duration latency = absl::Microseconds(50);
  // Each packet takes up to so much longer. Order within a connection is kept.
  absl::Duration jitter = absl::ZeroDuration();
  // All connections of the link share it. 0: no limit.
  int64_t bytes_per_second = 0;
};

struct Link {
  LinkOptions options;
  bool is_cut = false;
  // > 0: a router on the way answers with this instead of carrying the packet (EHOSTUNREACH,
  // ENETUNREACH).
  int unreachable_errno = 0;
  absl::Time busy_until = absl::InfinitePast();

  // When a packet that leaves at `now` is through, without jitter.
  absl::Time ArrivalOf(size_t size_bytes, absl::Time now) {
    if (options.bytes_per_second == 0) return now + options.latency;
    if (busy_until < now) busy_until = now;
    busy_until += absl::Seconds(static_cast<double>(size_bytes) /
                                static_cast<double>(options.bytes_per_second));
    return busy_until + options.latency;
  }
};

}  // namespace rollcall::fault

#endif  // ROLLCALL_FAULT_INJECTION_SIM_LINK_H_
