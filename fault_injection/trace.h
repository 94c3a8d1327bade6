// What happens in a world, event by event.
#ifndef ROLLCALL_FAULT_INJECTION_TRACE_H_
#define ROLLCALL_FAULT_INJECTION_TRACE_H_

#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace rollcall::fault {

enum class TraceKind {
  kSpawn,   // A fiber begins; text: its number.
  kRun,     // A fiber goes on; text: why.
  kBlock,   // A fiber waits; text: for what.
  kEnd,     // A fiber is over; text: how.
  kEvent,   // An event's work runs; text: its name.
  kChoice,  // text: site, occurrence, value of n.
  kNote,    // What a Scheduler's Trace() was given.
};
absl::string_view TraceKindName(TraceKind kind);

struct TraceEvent {
  absl::Duration elapsed;  // Since the world began.
  absl::string_view actor;
  TraceKind kind = TraceKind::kNote;
  absl::string_view text;  // Only until OnEvent returns.
};

class TraceSink {
 public:
  virtual ~TraceSink() = default;
  // Must not call the world.
  virtual void OnEvent(const TraceEvent& event) = 0;
};

// Keeps each event as a line of text.
class TraceLog final : public TraceSink {
 public:
  void OnEvent(const TraceEvent& event) override;
  const std::vector<std::string>& lines() const { return lines_; }

 private:
  std::vector<std::string> lines_;
};

}  // namespace rollcall::fault

#endif  // ROLLCALL_FAULT_INJECTION_TRACE_H_
