// Random calls on a store, for histories.
#ifndef ROLLCALL_FAULT_INJECTION_SCENARIO_MIX_H_
#define ROLLCALL_FAULT_INJECTION_SCENARIO_MIX_H_

#include <string>

#include "fault_injection/scenario/scenario.pb.h"
#include "net/env.h"
#include "store/store.h"

namespace rollcall::fault {

// Makes `mix.operations()` calls, each drawn from `env`'s chance, with values that tell who wrote
// them. Calls that fail with a DistError are counted, and the next is made. Returns "12 ok, 3
// failed". Waits are given a tenth of the store's time-out, so that the keys that never come do not
// fill the run.
std::string RunRandomCalls(net::Env& env, Store& store, const Mix& mix, int rank);

}  // namespace rollcall::fault

#endif  // ROLLCALL_FAULT_INJECTION_SCENARIO_MIX_H_
