// Flag values that gflags has no type for. Errors name the flag, what it got and what it takes.
#ifndef ROLLCALL_TOOLS_FLAG_VALUES_H_
#define ROLLCALL_TOOLS_FLAG_VALUES_H_

#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "net/address.h"

namespace rollcall::tools {

// "HOST:PORT" with a host and a port that is not 0.
absl::StatusOr<net::Endpoint> ParseEndpointFlag(absl::string_view flag, absl::string_view value);

// "500ms", "5s", "1m30s", "inf"; not negative.
absl::StatusOr<absl::Duration> ParseDurationFlag(absl::string_view flag, absl::string_view value);

// "3,5", "0-3,7": ranks in [0, world_size), sorted, each once. An empty value is no rank.
absl::StatusOr<std::vector<int>> ParseRanksFlag(absl::string_view flag, absl::string_view value,
                                                int world_size);

}  // namespace rollcall::tools

#endif  // ROLLCALL_TOOLS_FLAG_VALUES_H_
