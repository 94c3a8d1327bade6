#include "store/server/capacity_warnings.h"

#include "absl/strings/str_cat.h"

namespace rollcall {
namespace {

// What the process has open besides its clients: standard streams, logs, the loop, the listeners,
// and some of whoever embeds the server.
constexpr uint64_t kOtherDescriptors = 64;

}  // namespace

std::vector<std::string> CapacityWarnings(int expected_clients, const MachineLimits& limits) {
  std::vector<std::string> warnings;
  if (limits.listen_backlog_max.has_value() && expected_clients > *limits.listen_backlog_max) {
    warnings.push_back(absl::StrCat(
        expected_clients, " clients are expected, but the kernel lets only ",
        *limits.listen_backlog_max,
        " wait to be accepted: if all connect at once, some lose seconds. Remedy: sysctl -w "
        "net.core.somaxconn=",
        expected_clients));
  }
  const uint64_t needed = static_cast<uint64_t>(expected_clients) + kOtherDescriptors;
  if (limits.descriptors_max.has_value() && expected_clients > 0 &&
      needed > *limits.descriptors_max) {
    warnings.push_back(absl::StrCat(
        expected_clients, " clients are expected, but this process may open only ",
        *limits.descriptors_max,
        " descriptors: the last of them will not get in. Remedy: ulimit -n ", needed,
        " before it starts (twice that for clients of torch 1.x, which connect twice)"));
  }
  return warnings;
}

}  // namespace rollcall
