#include "store/agent_store.h"

#include <algorithm>
#include <array>
#include <optional>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

namespace rollcall {
namespace {

// The spellings that torch takes.
bool SaysYes(const std::string& value) {
  static constexpr std::array<absl::string_view, 5> kYes = {"1", "y", "yes", "t", "true"};
  const std::string lower = absl::AsciiStrToLower(value);
  return std::find(kYes.begin(), kYes.end(), absl::string_view(lower)) != kYes.end();
}

}  // namespace

bool AgentHasStoreAt(net::Env& env, uint16_t port) {
  const std::optional<std::string> use = env.GetEnvironmentVariable("TORCHELASTIC_USE_AGENT_STORE");
  return use.has_value() && SaysYes(*use) &&
         env.GetEnvironmentVariable("MASTER_PORT") == absl::StrCat(port);
}

bool AgentHasStoreAt(net::Env& env, const std::string& host, uint16_t port) {
  return AgentHasStoreAt(env, port) && env.GetEnvironmentVariable("MASTER_ADDR") == host;
}

}  // namespace rollcall
