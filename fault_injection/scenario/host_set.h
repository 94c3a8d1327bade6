// The hosts that a scenario's text names: "w0", "w1-3", "w*", "server,w0".
#ifndef ROLLCALL_FAULT_INJECTION_SCENARIO_HOST_SET_H_
#define ROLLCALL_FAULT_INJECTION_SCENARIO_HOST_SET_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"

namespace rollcall::fault {

// Those of `known` that `text` names, in their order there and each once. InvalidArgument for a
// name that is none of them, with the nearest that is, and for an empty text.
absl::StatusOr<std::vector<std::string>> HostsNamed(absl::string_view text,
                                                    absl::Span<const std::string> known);

// Whether `text`, which has been checked, names `host`.
bool NamesHost(absl::string_view text, absl::string_view host);

}  // namespace rollcall::fault

#endif  // ROLLCALL_FAULT_INJECTION_SCENARIO_HOST_SET_H_
