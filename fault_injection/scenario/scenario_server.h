// The server of a scenario: what its text says of it, for whoever starts it.
#ifndef ROLLCALL_FAULT_INJECTION_SCENARIO_SCENARIO_SERVER_H_
#define ROLLCALL_FAULT_INJECTION_SCENARIO_SCENARIO_SERVER_H_

#include <cstdint>

#include "absl/status/status.h"
#include "fault_injection/scenario/scenario.pb.h"
#include "store/server/server_options.h"

namespace rollcall::fault {

// What the outcome of a server's start is called, and of a stranger's talk.
constexpr char kStartStep[] = "start";
constexpr char kTalkStep[] = "talk";

ServerOptions ServerOptionsOf(const Server& server, uint16_t port);

// How the start went: `started` is what StoreServer::Start returned.
void SetStarted(const absl::Status& started, StepOutcome& outcome);

}  // namespace rollcall::fault

#endif  // ROLLCALL_FAULT_INJECTION_SCENARIO_SCENARIO_SERVER_H_
