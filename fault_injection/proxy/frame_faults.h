// What is done to single frames and bytes of one direction of a route.
#ifndef ROLLCALL_FAULT_INJECTION_PROXY_FRAME_FAULTS_H_
#define ROLLCALL_FAULT_INJECTION_PROXY_FRAME_FAULTS_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "fault_injection/proxy/frame_scanner.h"
#include "fault_injection/proxy/proxy_types.h"

namespace rollcall::fault {

// Shared by the connections of a route, one direction. Each fault acts once, on the first
// connection that comes to its place, and is gone. Not thread-safe.
class FrameFaults {
 public:
  // Forwards what is before `spot`, nothing of that connection after it, and goes on with `ending`.
  // A frame that is shorter is forwarded whole, before the ending.
  void Truncate(Spot spot, Ending ending);
  // A frame that has no such byte stays as it is, and the fault is gone without having acted.
  void Corrupt(Spot spot, uint8_t xor_mask);
  // The frame is forwarded twice.
  void Duplicate(int64_t frame);
  void Clear() { faults_.clear(); }

  bool empty() const { return faults_.empty(); }

  // What is left of a part of a frame.
  struct Outcome {
    std::string bytes;
    bool repeats_frame = false;
    std::optional<Ending> ending;  // Nothing of this connection is forwarded any more.
  };
  // `bytes` are the part's. `connection` only tells connections apart.
  Outcome Apply(const void* connection, const FramePart& part, absl::string_view bytes,
                DirectionStats& stats);
  // The connection has ended, perhaps within a frame that a fault was at.
  void Forget(const void* connection);

 private:
  enum class Kind { kTruncate, kCorrupt, kDuplicate };
  struct Fault {
    Kind kind = Kind::kTruncate;
    Spot spot;
    Ending ending = Ending::kStall;
    uint8_t xor_mask = 0;
    int64_t frames_begun = 0;
    // Whose frame it is at; null while it waits for one.
    const void* connection = nullptr;
    int64_t offset_bytes = 0;  // What of the frame, or since it was set, has passed.
    std::string copy;          // Of a frame that is to be repeated.
  };

  // True: the fault has acted, or never will.
  bool Act(Fault& fault, bool ends, Outcome& outcome, DirectionStats& stats);

  std::vector<Fault> faults_;
};

}  // namespace rollcall::fault

#endif  // ROLLCALL_FAULT_INJECTION_PROXY_FRAME_FAULTS_H_
