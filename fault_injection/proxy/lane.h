// One direction of a route: what it is set to, and what all of its connections share.
#ifndef ROLLCALL_FAULT_INJECTION_PROXY_LANE_H_
#define ROLLCALL_FAULT_INJECTION_PROXY_LANE_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "absl/time/time.h"
#include "fault_injection/proxy/frame_faults.h"
#include "fault_injection/proxy/proxy_types.h"
#include "net/env.h"

namespace rollcall::fault {

struct LaneSettings {
  absl::Duration latency = absl::ZeroDuration();
  absl::Duration jitter = absl::ZeroDuration();
  int64_t bytes_per_second = 0;  // 0: no limit.
  size_t slice_bytes = 0;        // 0: as it comes.
  absl::Duration slice_pause = absl::ZeroDuration();
  int coalesced_frames = 1;
  bool is_cut = false;
  bool is_black_hole = false;
};

// Belongs to the proxy's loop. A plain struct of what its Flows need.
struct Lane {
  explicit Lane(net::Env* env_in) : env(*env_in) {}

  bool holds() const { return settings.is_cut || settings.is_black_hole; }
  bool changes_frames() const { return !faults.empty() || settings.coalesced_frames > 1; }
  // Bytes go through as they come.
  bool is_plain() const {
    return settings.latency == absl::ZeroDuration() && settings.jitter == absl::ZeroDuration() &&
           settings.bytes_per_second == 0 && settings.slice_bytes == 0 && !holds();
  }

  // What travels as one: with a rate, about a millisecond's worth, as packets do, or one packet.
  size_t PacketBytes(size_t size_bytes) const {
    if (settings.bytes_per_second == 0) return size_bytes;
    const int64_t packet_bytes = std::max<int64_t>(1460, settings.bytes_per_second / 1000);
    return std::min(size_bytes, static_cast<size_t>(packet_bytes));
  }

  // When what is sent `now` is through. Connections share the rate.
  absl::Time ArrivalOf(size_t size_bytes, absl::Time now) {
    absl::Time leaves = now;
    if (settings.bytes_per_second > 0) {
      busy_until =
          std::max(busy_until, now) + absl::Seconds(static_cast<double>(size_bytes) /
                                                    static_cast<double>(settings.bytes_per_second));
      leaves = busy_until;
    }
    return leaves + settings.latency + Jitter();
  }

  absl::Duration Jitter() {
    const int64_t jitter_ns = absl::ToInt64Nanoseconds(settings.jitter);
    if (jitter_ns <= 0) return absl::ZeroDuration();
    const uint64_t bits = env.RandomBits();
    return absl::Nanoseconds(static_cast<int64_t>(bits % (static_cast<uint64_t>(jitter_ns) + 1)));
  }

  net::Env& env;
  LaneSettings settings;
  FrameFaults faults;
  DirectionStats stats;
  absl::Time busy_until = absl::InfinitePast();
};

}  // namespace rollcall::fault

#endif  // ROLLCALL_FAULT_INJECTION_PROXY_LANE_H_
