// What goes wrong with a loop's connections, as the log and the meter are told of it.
#ifndef ROLLCALL_STORE_SERVER_INCIDENT_LOG_H_
#define ROLLCALL_STORE_SERVER_INCIDENT_LOG_H_

#include <array>
#include <string>

#include "absl/functional/function_ref.h"
#include "absl/time/time.h"
#include "store/server/incident.h"
#include "store/server/limited_log.h"
#include "store/server/meter.h"

namespace rollcall {

// Counts all of it. Logs and remembers of each kind as much as LimitedLog allows, so that no peer
// can push out what others did. Who comes and goes is no news: it is logged with --v=1. Not
// thread-safe.
class IncidentLog {
 public:
  // `*meter` must outlive it.
  explicit IncidentLog(Meter* meter);

  // `incident` lacks the time, which is `now`, and the reason, which is asked for only if it is
  // wanted.
  void Note(absl::Time now, Incident incident, absl::FunctionRef<std::string()> reason);

 private:
  Meter& meter_;
  std::array<LimitedLog, kIncidentKinds> logs_;
};

}  // namespace rollcall

#endif  // ROLLCALL_STORE_SERVER_INCIDENT_LOG_H_
