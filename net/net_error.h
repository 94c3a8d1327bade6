// What a failed network call says of itself, in one place, because absl::ErrnoToStatus misleads for
// sockets: it calls EPIPE a failed precondition and EADDRNOTAVAIL "already exists".
#ifndef ROLLCALL_NET_NET_ERROR_H_
#define ROLLCALL_NET_NET_ERROR_H_

#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace rollcall::net {

// What went wrong, for a program to branch on. Rides on every absl::Status that net/ returns.
enum class NetErrorKind {
  kUnknown,
  kRefused,            // Somebody answered: nobody listens there.
  kNoAnswer,           // Nothing came back before the deadline.
  kUnreachable,        // No route to the host or network.
  kNameLookup,         // The host name could not be turned into an address.
  kAddressInUse,       // Bind: the port is taken.
  kAddressNotLocal,    // Bind: the address is not this host's.
  kPermission,         // EACCES, EPERM (a privileged port, a firewall).
  kClosedByPeer,       // End of stream, EPIPE: the peer went.
  kReset,              // ECONNRESET, ECONNABORTED: the peer, or its kernel, cut the connection.
  kPeerVanished,       // ETIMEDOUT on a live connection: keep-alive or TCP_USER_TIMEOUT ran out.
  kTimedOut,           // Our own deadline passed.
  kResourceExhausted,  // Descriptors, local ports, memory, socket buffers.
  kBadDescriptor,      // An adopted descriptor is not what it should be.
  kShutDown,           // We closed it ourselves.
  kTls,                // TLS failed: a certificate, a version, or bytes that are none of it.
  kBug,                // EBADF, ENOTSOCK, EFAULT...: ours.
};

absl::string_view NetErrorKindName(NetErrorKind kind);

struct NetErrorInfo {
  NetErrorKind kind = NetErrorKind::kUnknown;
  int errno_value = 0;       // 0 where no system call failed.
  std::string address = {};  // "[::1]:29500", or "host:port" as asked for; may be empty.
  int attempts = 0;          // 0 where it does not apply.
  absl::Duration elapsed = absl::ZeroDuration();
};

// "ECONNREFUSED"; "errno 4711" where it has no name.
std::string ErrnoName(int errno_value);

// Errno to kind for a connection; `during_bind` and `during_connect` settle the errnos that mean
// different things there.
enum class Phase { kConnect, kBind, kTransfer, kOther };
NetErrorKind KindOfErrno(int errno_value, Phase phase);

// A status with `info` on it as a payload. The status code follows from the kind; the message is
// `what`, then the errno by name and text, the address, the attempts and the time where known.
absl::Status NetError(absl::string_view what, NetErrorInfo info);

// Shorthand for the failure of one system call.
absl::Status ErrnoError(absl::string_view what, int errno_value, Phase phase,
                        absl::string_view address = "");

// `reason` with the code kDeadlineExceeded: the caller's deadline passed while that was what kept
// it from succeeding. The payload stays: its kind says why ("refused" rather than "timed out").
absl::Status DeadlinePassed(const absl::Status& reason);

// The payload; nullopt if `status` has none (it did not come from net/).
std::optional<NetErrorInfo> GetNetErrorInfo(const absl::Status& status);

}  // namespace rollcall::net

#endif  // ROLLCALL_NET_NET_ERROR_H_
