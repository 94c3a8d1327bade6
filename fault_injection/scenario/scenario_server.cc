#include "fault_injection/scenario/scenario_server.h"

#include <algorithm>
#include <cstddef>
#include <string>

#include "fault_injection/scenario/cast.h"
#include "store/dist_error.h"
#include "store/error_code.h"

namespace rollcall::fault {

ServerOptions ServerOptionsOf(const Server& server, uint16_t port) {
  ServerOptions options;
  options.host = server.listen_on();
  options.port = port;
  options.half_request_timeout =
      DurationOf(server.half_request_timeout(), options.half_request_timeout);
  options.shutdown_grace = DurationOf(server.shutdown_grace(), options.shutdown_grace);
  if (server.io_threads() > 0) options.io_threads = server.io_threads();
  if (server.connections_max() > 0) {
    options.connections_max = static_cast<size_t>(server.connections_max());
  }
  if (server.silent_connections_max() > 0) {
    options.silent_connections_max = static_cast<size_t>(server.silent_connections_max());
  }
  if (server.unsent_bytes_max() > 0) {
    options.unsent_bytes_hard_max = static_cast<size_t>(server.unsent_bytes_max());
    options.unsent_bytes_soft_max =
        std::min(options.unsent_bytes_soft_max, options.unsent_bytes_hard_max);
  }
  if (server.value_bytes_max() > 0) {
    options.parser.limits.value_bytes_max = static_cast<size_t>(server.value_bytes_max());
  }
  if (server.memory_bytes_max() > 0) {
    options.store_limits.memory_bytes_max = static_cast<size_t>(server.memory_bytes_max());
  }
  return options;
}

void SetStarted(const absl::Status& started, StepOutcome& outcome) {
  outcome.set_has_ended(true);
  outcome.set_ok(started.ok());
  if (started.ok()) return;
  const ErrorCodeInfo& info = InfoOf(CodeOf(started));
  outcome.set_code(std::string(info.name));
  outcome.set_error_class(std::string(info.error_class));
  outcome.set_text(std::string(started.message()));
}

}  // namespace rollcall::fault
