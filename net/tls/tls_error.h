// What OpenSSL has to say of a failure, in words for a log and for a user.
#ifndef ROLLCALL_NET_TLS_TLS_ERROR_H_
#define ROLLCALL_NET_TLS_TLS_ERROR_H_

#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

struct ssl_st;

namespace rollcall::net {

// The reason of this thread's latest failed call, and empties OpenSSL's list of errors: "no start
// line". OpenSSL keeps that list by thread, so it must be asked before the thread does anything
// else.
std::string TakeTlsReason();

// Why the session's latest call failed, from the point of view of the side that it is: the alert
// that the peer sent, what is wrong with the peer's certificate, or that there was none.
std::string ExplainTlsFailure(ssl_st* ssl);

// kTls.
absl::Status TlsFailure(absl::string_view what);

// The alert that ends a handshake with a peer that does not speak TLS at all, in the clear: what
// any TLS client understands, and what a client without TLS can tell from every other answer.
absl::string_view PlainTlsAlert();
// `bytes`, which are not encrypted, begin like an alert of TLS.
bool LooksLikeTlsAlert(absl::string_view bytes);

}  // namespace rollcall::net

#endif  // ROLLCALL_NET_TLS_TLS_ERROR_H_
