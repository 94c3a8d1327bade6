#include "net/socket_options.h"

#include <netinet/in.h>
#include <netinet/tcp.h>

#include "net/net_error.h"

namespace rollcall::net {
namespace {

void SetInt(Syscalls& syscalls, int fd, int level, int name, int64_t value) {
  const int as_int = static_cast<int>(value);
  syscalls.SetSockOpt(fd, level, name, &as_int, sizeof(as_int));
}

}  // namespace

void SetConnectionOptions(Syscalls& syscalls, int fd) {
  SetInt(syscalls, fd, IPPROTO_TCP, TCP_NODELAY, 1);
  SetInt(syscalls, fd, SOL_SOCKET, SO_KEEPALIVE, 1);
  SetInt(syscalls, fd, IPPROTO_TCP, TCP_KEEPIDLE, absl::ToInt64Seconds(kKeepAliveIdle));
  SetInt(syscalls, fd, IPPROTO_TCP, TCP_KEEPINTVL, absl::ToInt64Seconds(kKeepAliveInterval));
  SetInt(syscalls, fd, IPPROTO_TCP, TCP_KEEPCNT, kKeepAliveProbes);
  SetInt(syscalls, fd, IPPROTO_TCP, TCP_USER_TIMEOUT,
         absl::ToInt64Milliseconds(kUnacknowledgedMax));
}

absl::StatusOr<SocketAddress> LocalAddressOf(Syscalls& syscalls, int fd) {
  sockaddr_storage storage = {};
  socklen_t length_bytes = sizeof(storage);
  auto* const address = reinterpret_cast<sockaddr*>(&storage);
  const int got = syscalls.GetSockName(fd, address, &length_bytes);
  if (got < 0) return ErrnoError("getsockname", -got, Phase::kOther);
  return SocketAddress(address, length_bytes);
}

absl::StatusOr<SocketAddress> PeerAddressOf(Syscalls& syscalls, int fd) {
  sockaddr_storage storage = {};
  socklen_t length_bytes = sizeof(storage);
  auto* const address = reinterpret_cast<sockaddr*>(&storage);
  const int got = syscalls.GetPeerName(fd, address, &length_bytes);
  if (got < 0) return ErrnoError("getpeername", -got, Phase::kOther);
  return SocketAddress(address, length_bytes);
}

}  // namespace rollcall::net
