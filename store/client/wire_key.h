// How a user's key is called on the wire.
#ifndef ROLLCALL_STORE_CLIENT_WIRE_KEY_H_
#define ROLLCALL_STORE_CLIENT_WIRE_KEY_H_

#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"

namespace rollcall::client {

// So that no user's key can meet the store's own, such as "init/".
inline void SetWireKey(absl::string_view key, std::string& wire_key) {
  wire_key.reserve(1 + key.size());
  wire_key.push_back('/');
  wire_key.append(key.data(), key.size());
}

inline std::string WireKey(absl::string_view key) {
  std::string wire_key;
  SetWireKey(key, wire_key);
  return wire_key;
}

inline std::vector<std::string> WireKeys(absl::Span<const std::string> keys) {
  std::vector<std::string> wire_keys;
  wire_keys.reserve(keys.size());
  for (const std::string& key : keys) SetWireKey(key, wire_keys.emplace_back());
  return wire_keys;
}

}  // namespace rollcall::client

#endif  // ROLLCALL_STORE_CLIENT_WIRE_KEY_H_
