// Somebody who connects to a store's server, or sits where it should be, and is no store client.
#ifndef ROLLCALL_FAULT_INJECTION_SCENARIO_STRANGER_H_
#define ROLLCALL_FAULT_INJECTION_SCENARIO_STRANGER_H_

#include <cstdint>
#include <string>

#include "absl/time/time.h"
#include "fault_injection/scenario/scenario.pb.h"
#include "net/env.h"
#include "net/syscalls.h"

namespace rollcall::fault {

// Connects to the server as often as `stranger` says and says its piece on each connection. Returns
// what it heard on the last one, once the server has closed that; a server that never does keeps it
// for ever, or until `deadline`. `calls` are those that `env` stands on.
std::string TalkToServer(net::Env& env, net::Syscalls& calls, const Stranger& stranger,
                         const std::string& server_name, uint16_t port, absl::Time deadline);

// Listens at `port` on all interfaces and answers each connection with its piece, or with silence,
// or closes or resets it, until `deadline`.
void AnswerAsStranger(net::Env& env, net::Syscalls& calls, const Stranger& stranger, uint16_t port,
                      absl::Time deadline);

}  // namespace rollcall::fault

#endif  // ROLLCALL_FAULT_INJECTION_SCENARIO_STRANGER_H_
