// One process of a real run: the server, one life of a worker, or a stranger.
#ifndef ROLLCALL_FAULT_INJECTION_REAL_ROLE_H_
#define ROLLCALL_FAULT_INJECTION_REAL_ROLE_H_

#include <cstdint>
#include <string>

#include "fault_injection/scenario/fixtures.h"
#include "fault_injection/scenario/scenario.pb.h"

namespace rollcall::fault {

struct RoleOptions {
  std::string role;  // "server", "w2", or a stranger's name.
  int life = 1;
  // Of this machine: where it finds the server, or serves.
  uint16_t server_port = 0;
  std::string directory;  // For FileStores.
};

// Plays the role, talking on standard input and output (role_lines.h). Returns the exit status: 0
// once it is over, whatever its steps saw; 1 where it could not be played. Ends the process at once
// when whoever started it is gone. `scenario` must have been checked.
int PlayRole(const Scenario& scenario, const RoleOptions& options, const Fixtures& fixtures);

}  // namespace rollcall::fault

#endif  // ROLLCALL_FAULT_INJECTION_REAL_ROLE_H_
