// The limits of a request, checked before it is sent: a server can only answer by hanging up.
#ifndef ROLLCALL_STORE_CLIENT_REQUEST_LIMITS_H_
#define ROLLCALL_STORE_CLIENT_REQUEST_LIMITS_H_

#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "store/protocol/limits.h"

namespace rollcall::client {

// KEY_TOO_LONG, VALUE_TOO_LARGE or TOO_MANY_KEYS, naming the key's beginning, its size and the
// limit. Keys as they are on the wire.
absl::Status CheckLimits(const protocol::Limits& limits, absl::string_view operation,
                         absl::Span<const std::string> wire_keys,
                         absl::Span<const absl::string_view> values = {});

}  // namespace rollcall::client

#endif  // ROLLCALL_STORE_CLIENT_REQUEST_LIMITS_H_
