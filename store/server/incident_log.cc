#include "store/server/incident_log.h"

#include <cstddef>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "glog/logging.h"

namespace rollcall {
namespace {

// Most servers have but the default one.
std::string OfNameSpace(const Incident& incident) {
  if (incident.name_space.value_or("").empty()) return "";
  return absl::StrCat(" (name space ", *incident.name_space, ")");
}

}  // namespace

IncidentLog::IncidentLog(Meter* meter) : meter_(*meter) {
  for (const IncidentInfo& info : AllIncidents()) {
    if (info.refused) continue;
    logs_[static_cast<size_t>(info.kind)] =
        LimitedLog([](absl::string_view line) { VLOG(1) << std::string(line); });
  }
}

void IncidentLog::Note(absl::Time now, Incident incident, absl::FunctionRef<std::string()> reason) {
  meter_.Count(incident.kind);
  logs_[static_cast<size_t>(incident.kind)].Write(now, [&] {
    incident.when = now;
    incident.reason = reason();
    std::string line =
        absl::StrCat(InfoOf(incident.kind).refused ? "closing" : "lost", " the connection of ",
                     incident.peer.ToString(), OfNameSpace(incident), ": ", incident.reason);
    meter_.Remember(std::move(incident));
    return line;
  });
}

}  // namespace rollcall
