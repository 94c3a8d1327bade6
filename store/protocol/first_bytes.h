// Who else may knock at a store's port: guessed from the first bytes, for the log.
#ifndef ROLLCALL_STORE_PROTOCOL_FIRST_BYTES_H_
#define ROLLCALL_STORE_PROTOCOL_FIRST_BYTES_H_

#include "absl/strings/string_view.h"

namespace rollcall::protocol {

// What `first_bytes` look like: "an HTTP request", "a TLS handshake", "an SSH client"...; empty
// where nothing is known. Never something that a store's client can send.
absl::string_view ForeignProtocol(absl::string_view first_bytes);

// They begin like a TLS handshake.
bool LooksLikeTls(absl::string_view first_bytes);

}  // namespace rollcall::protocol

#endif  // ROLLCALL_STORE_PROTOCOL_FIRST_BYTES_H_
