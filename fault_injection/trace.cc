#include "fault_injection/trace.h"

#include "absl/strings/str_cat.h"

namespace rollcall::fault {

absl::string_view TraceKindName(TraceKind kind) {
  switch (kind) {
    case TraceKind::kSpawn:
      return "spawn";
    case TraceKind::kRun:
      return "run";
    case TraceKind::kBlock:
      return "block";
    case TraceKind::kEnd:
      return "end";
    case TraceKind::kEvent:
      return "event";
    case TraceKind::kChoice:
      return "choice";
    case TraceKind::kNote:
      return "note";
  }
  return "?";
}

void TraceLog::OnEvent(const TraceEvent& event) {
  lines_.push_back(absl::StrCat("+", absl::FormatDuration(event.elapsed), " ", event.actor, " ",
                                TraceKindName(event.kind), " ", event.text));
}

}  // namespace rollcall::fault
