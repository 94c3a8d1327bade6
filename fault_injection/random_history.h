// Histories to try the checker on.
#ifndef ROLLCALL_FAULT_INJECTION_RANDOM_HISTORY_H_
#define ROLLCALL_FAULT_INJECTION_RANDOM_HISTORY_H_

#include <cstdint>

#include "fault_injection/history.h"

namespace rollcall::fault {

// What `clients` see who set, add to and get `keys` keys of a store that takes effect at a random
// moment within each call: linearizable by construction. At most `operations`, about two thirds:
// whoever is not back yet does not call again. The same for the same arguments.
History RandomHistory(uint32_t seed, int operations, int clients, int keys);

}  // namespace rollcall::fault

#endif  // ROLLCALL_FAULT_INJECTION_RANDOM_HISTORY_H_
