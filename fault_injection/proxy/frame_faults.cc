#include "fault_injection/proxy/frame_faults.h"

#include <cstddef>
#include <utility>

namespace rollcall::fault {

void FrameFaults::Truncate(Spot spot, Ending ending) {
  faults_.push_back({.kind = Kind::kTruncate, .spot = spot, .ending = ending});
}

void FrameFaults::Corrupt(Spot spot, uint8_t xor_mask) {
  faults_.push_back({.kind = Kind::kCorrupt, .spot = spot, .xor_mask = xor_mask});
}

void FrameFaults::Duplicate(int64_t frame) {
  faults_.push_back({.kind = Kind::kDuplicate, .spot = {.frame = frame}});
}

FrameFaults::Outcome FrameFaults::Apply(const void* connection, const FramePart& part,
                                        absl::string_view bytes, DirectionStats& stats) {
  Outcome outcome;
  outcome.bytes = std::string(bytes);
  std::vector<Fault> kept;
  kept.reserve(faults_.size());
  for (Fault& fault : faults_) {
    if (outcome.ending.has_value()) {
      kept.push_back(std::move(fault));
      continue;
    }
    const bool counts_frames = fault.spot.frame > 0;
    if (counts_frames && part.begins && fault.connection == nullptr &&
        ++fault.frames_begun == fault.spot.frame) {
      fault.connection = connection;
    }
    const bool is_here = !counts_frames || fault.connection == connection;
    if (!is_here || !Act(fault, part.ends, outcome, stats)) kept.push_back(std::move(fault));
  }
  faults_ = std::move(kept);
  return outcome;
}

bool FrameFaults::Act(Fault& fault, bool ends, Outcome& outcome, DirectionStats& stats) {
  const int64_t size_bytes = static_cast<int64_t>(outcome.bytes.size());
  const int64_t at = fault.spot.byte - fault.offset_bytes;
  fault.offset_bytes += size_bytes;
  const bool frame_ends = ends && fault.spot.frame > 0;
  switch (fault.kind) {
    case Kind::kTruncate:
      if (at > size_bytes && !frame_ends) return false;
      if (at < size_bytes) outcome.bytes.resize(static_cast<size_t>(at));
      outcome.ending = fault.ending;
      ++stats.truncated;
      return true;
    case Kind::kCorrupt: {
      if (at >= size_bytes) return frame_ends;
      char& byte = outcome.bytes[static_cast<size_t>(at)];
      byte = static_cast<char>(static_cast<uint8_t>(byte) ^ fault.xor_mask);
      ++stats.corrupted;
      return true;
    }
    case Kind::kDuplicate:
      fault.copy.append(outcome.bytes);
      if (!frame_ends) return false;
      outcome.bytes.append(fault.copy);
      outcome.repeats_frame = true;
      ++stats.duplicated;
      return true;
  }
  return false;
}

void FrameFaults::Forget(const void* connection) {
  std::erase_if(faults_, [connection](const Fault& fault) {
    return fault.connection != nullptr && fault.connection == connection;
  });
}

}  // namespace rollcall::fault
