// The errors that a system call may fail with, by the names under which a scenario asks for them.
#ifndef ROLLCALL_FAULT_INJECTION_SCENARIO_ERRNO_NAMES_H_
#define ROLLCALL_FAULT_INJECTION_SCENARIO_ERRNO_NAMES_H_

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "fault_injection/legal_errnos.h"

namespace rollcall::fault {

// "ECONNRESET"; for getaddrinfo "EAI_AGAIN". `value` is one of the row's.
std::string FaultErrnoName(const CallRow& row, int value);

// The row of a call; InvalidArgument with the nearest name if there is none.
absl::StatusOr<const CallRow*> CallNamed(absl::string_view name);
// The row's errno of that name; InvalidArgument, which lists what is legal, if it has none.
absl::StatusOr<int> LegalErrnoNamed(const CallRow& row, absl::string_view name);

}  // namespace rollcall::fault

#endif  // ROLLCALL_FAULT_INJECTION_SCENARIO_ERRNO_NAMES_H_
