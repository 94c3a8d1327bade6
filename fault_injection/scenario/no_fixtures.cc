#include "fault_injection/scenario/fixtures.h"

namespace rollcall::fault {

Fixtures UserFixtures() { return {}; }

}  // namespace rollcall::fault
