// What every connection of ours is set to, on both sides.
#ifndef ROLLCALL_NET_SOCKET_OPTIONS_H_
#define ROLLCALL_NET_SOCKET_OPTIONS_H_

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "net/address.h"
#include "net/syscalls.h"

namespace rollcall::net {

// A peer whose machine or network is gone is noticed within about a minute: after kKeepAliveIdle
// without a byte, one probe each kKeepAliveInterval, kKeepAliveProbes times; and bytes that are not
// acknowledged for kUnacknowledgedMax cut the connection too. Reading and writing then fail with
// kPeerVanished.
constexpr absl::Duration kKeepAliveIdle = absl::Seconds(20);
constexpr absl::Duration kKeepAliveInterval = absl::Seconds(10);
constexpr int kKeepAliveProbes = 4;
constexpr absl::Duration kUnacknowledgedMax = absl::Seconds(60);

// Sets TCP_NODELAY, keep-alive and TCP_USER_TIMEOUT on a connected socket; or on one that will
// listen: Linux lets the connections it accepts inherit them all, at no system call each. A
// connection works without them, so that a kernel that knows one of them not is no error.
void SetConnectionOptions(Syscalls& syscalls, int fd);

// The addresses of a socket's two ends. Errors are of Phase::kOther, ENOTCONN among them.
absl::StatusOr<SocketAddress> LocalAddressOf(Syscalls& syscalls, int fd);
absl::StatusOr<SocketAddress> PeerAddressOf(Syscalls& syscalls, int fd);

}  // namespace rollcall::net

#endif  // ROLLCALL_NET_SOCKET_OPTIONS_H_
