// What torchelastic tells the processes that it starts.
#ifndef ROLLCALL_STORE_AGENT_STORE_H_
#define ROLLCALL_STORE_AGENT_STORE_H_

#include <cstdint>
#include <string>

#include "net/env.h"

namespace rollcall {

// True if TORCHELASTIC_USE_AGENT_STORE says yes and MASTER_PORT is `port`: the agent hosts the
// server there, and every rank is its client.
bool AgentHasStoreAt(net::Env& env, uint16_t port);
// The same, and MASTER_ADDR must be `host`.
bool AgentHasStoreAt(net::Env& env, const std::string& host, uint16_t port);

}  // namespace rollcall

#endif  // ROLLCALL_STORE_AGENT_STORE_H_
