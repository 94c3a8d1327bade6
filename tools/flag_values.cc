#include "tools/flag_values.h"

#include <cstddef>
#include <set>
#include <string>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace rollcall::tools {

absl::StatusOr<net::Endpoint> ParseEndpointFlag(absl::string_view flag, absl::string_view value) {
  absl::StatusOr<net::Endpoint> endpoint = net::Endpoint::Parse(value);
  if (!endpoint.ok()) {
    return absl::InvalidArgumentError(absl::StrCat("--", flag, ": ", endpoint.status().message()));
  }
  if (endpoint->host.empty() || endpoint->port == 0) {
    return absl::InvalidArgumentError(
        absl::StrCat("--", flag, " needs a host and a port other than 0, got \"", value,
                     "\"; write HOST:PORT, or [ADDRESS]:PORT for IPv6"));
  }
  return endpoint;
}

absl::StatusOr<absl::Duration> ParseDurationFlag(absl::string_view flag, absl::string_view value) {
  absl::Duration duration;
  if (!absl::ParseDuration(std::string(value), &duration) || duration < absl::ZeroDuration()) {
    return absl::InvalidArgumentError(absl::StrCat(
        "--", flag, " must be a duration such as 500ms, 5s or 2m, got \"", value, "\""));
  }
  return duration;
}

absl::StatusOr<std::vector<int>> ParseRanksFlag(absl::string_view flag, absl::string_view value,
                                                int world_size) {
  std::set<int> ranks;
  for (absl::string_view part : absl::StrSplit(value, ',', absl::SkipEmpty())) {
    const size_t dash = part.find('-');
    int first = 0;
    int last = 0;
    const bool numbers = absl::SimpleAtoi(part.substr(0, dash), &first) &&
                         absl::SimpleAtoi(dash == part.npos ? part : part.substr(dash + 1), &last);
    if (!numbers || first < 0 || last < first || last >= world_size) {
      return absl::InvalidArgumentError(absl::StrCat("--", flag, " must list ranks from 0 to ",
                                                     world_size - 1, ", such as 3,5 or 0-3, got \"",
                                                     part, "\""));
    }
    for (int rank = first; rank <= last; ++rank) ranks.insert(rank);
  }
  return std::vector<int>(ranks.begin(), ranks.end());
}

}  // namespace rollcall::tools
