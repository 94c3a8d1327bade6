#include "store/client/request_limits.h"

#include <cstddef>
#include <cstdint>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "store/dist_error.h"

namespace rollcall::client {
namespace {

constexpr size_t kShownBytesMax = 32;

// The beginning of the key as the user knows it: without the "/" that travels.
std::string Beginning(absl::string_view wire_key) {
  const absl::string_view key = wire_key.substr(wire_key.empty() ? 0 : 1);
  return absl::StrCat("\"", absl::Utf8SafeCHexEscape(key.substr(0, kShownBytesMax)),
                      key.size() > kShownBytesMax ? "..." : "", "\"");
}

absl::Status TooMuch(ErrorCode code, absl::string_view operation, std::string summary) {
  return StoreStatus(code, std::move(summary), {.operation = std::string(operation)});
}

}  // namespace

absl::Status CheckLimits(const protocol::Limits& limits, absl::string_view operation,
                         absl::Span<const std::string> wire_keys,
                         absl::Span<const absl::string_view> values) {
  if (wire_keys.size() > limits.keys_per_request_max) {
    return TooMuch(
        ErrorCode::kTooManyKeys, operation,
        absl::StrCat(operation, " of ", wire_keys.size(), " keys, beginning with ",
                     Beginning(wire_keys.front()), "; the limit is ", limits.keys_per_request_max));
  }
  uint64_t request_bytes = 0;
  for (const std::string& key : wire_keys) {
    if (key.size() > limits.key_bytes_max) {
      return TooMuch(
          ErrorCode::kKeyTooLong, operation,
          absl::StrCat("the key ", Beginning(key), " is ", key.size(),
                       " bytes long, its \"/\" included; the limit is ", limits.key_bytes_max));
    }
    request_bytes += key.size();
  }
  for (size_t i = 0; i < values.size(); ++i) {
    if (values[i].size() > limits.value_bytes_max) {
      // Compare_set has two values and one key.
      const std::string& key = wire_keys[i < wire_keys.size() ? i : 0];
      return TooMuch(
          ErrorCode::kValueTooLarge, operation,
          absl::StrCat("the value for the key ", Beginning(key), " has ", values[i].size(),
                       " bytes; the limit is ", limits.value_bytes_max));
    }
    request_bytes += values[i].size();
  }
  if (request_bytes > limits.request_bytes_max) {
    return TooMuch(ErrorCode::kTooManyKeys, operation,
                   absl::StrCat(operation, " of ", wire_keys.size(), " keys, beginning with ",
                                Beginning(wire_keys.front()), ", has ", request_bytes,
                                " bytes in all; the limit is ", limits.request_bytes_max));
  }
  return absl::OkStatus();
}

}  // namespace rollcall::client
