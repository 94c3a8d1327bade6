#include "net/listen_sockets.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>

#include <algorithm>
#include <optional>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "net/net_error.h"
#include "net/owned_fd.h"
#include "net/socket_options.h"

namespace rollcall::net {
namespace {

// A port that the system chose on the first address may be taken on the second.
constexpr int kPortChoicesMax = 32;

absl::string_view Remedy(NetErrorKind kind) {
  switch (kind) {
    case NetErrorKind::kAddressInUse:
      return "; another process listens there: stop it, or choose another port (0 lets the system "
             "choose)";
    case NetErrorKind::kAddressNotLocal:
      return "; no network interface of this host has that address";
    case NetErrorKind::kPermission:
      return "; ports below 1024 need a privilege: choose a higher one";
    case NetErrorKind::kResourceExhausted:
      return "; raise the limit on open files (ulimit -n), or free memory";
    default:
      return "";
  }
}

absl::Status ListenError(absl::string_view call, int errno_value, const SocketAddress& address) {
  const NetErrorKind kind = KindOfErrno(errno_value, Phase::kBind);
  return NetError(absl::StrCat("cannot listen on ", address.ToString(), " (port ", address.port(),
                               ", ", call, Remedy(kind), ")"),
                  {.kind = kind, .errno_value = errno_value, .address = address.ToString()});
}

void SetInt(Syscalls& syscalls, int fd, int level, int name, int value) {
  syscalls.SetSockOpt(fd, level, name, &value, sizeof(value));
}

// A BoundSocket that closes itself.
struct Opened {
  OwnedFd fd;
  SocketAddress address;
};

std::vector<BoundSocket> Released(std::vector<Opened> sockets) {
  std::vector<BoundSocket> released;
  released.reserve(sockets.size());
  for (Opened& socket : sockets) released.push_back({socket.fd.Release(), socket.address});
  return released;
}

enum class Families { kOne, kBoth };

absl::StatusOr<Opened> OpenOne(Syscalls& syscalls, const SocketAddress& address, Families families,
                               int backlog) {
  const int fd = syscalls.Socket(address.family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) return ListenError("socket", -fd, address);
  Opened opened{OwnedFd(&syscalls, fd), address};
  // Connections of a server that just died linger in TIME_WAIT and must not keep its successor out.
  SetInt(syscalls, fd, SOL_SOCKET, SO_REUSEADDR, 1);
  if (address.family() == AF_INET6) {
    // Set either way: the default is the administrator's (net.ipv6.bindv6only).
    SetInt(syscalls, fd, IPPROTO_IPV6, IPV6_V6ONLY, families == Families::kOne);
  }
  // What is accepted inherits them.
  SetConnectionOptions(syscalls, fd);
  if (const int bound = syscalls.Bind(fd, address.data(), address.size_bytes()); bound < 0) {
    return ListenError("bind", -bound, address);
  }
  if (const int listens = syscalls.Listen(fd, backlog); listens < 0) {
    return ListenError("listen", -listens, address);
  }
  absl::StatusOr<SocketAddress> real_address = LocalAddressOf(syscalls, fd);
  if (!real_address.ok()) return real_address.status();
  opened.address = *real_address;
  return opened;
}

std::optional<NetErrorKind> KindOf(const absl::Status& status) {
  const std::optional<NetErrorInfo> info = GetNetErrorInfo(status);
  return info.has_value() ? std::optional(info->kind) : std::nullopt;
}

absl::StatusOr<std::vector<BoundSocket>> OpenAllInterfaces(Syscalls& syscalls, uint16_t port,
                                                           int backlog) {
  absl::StatusOr<Opened> opened =
      OpenOne(syscalls, SocketAddress::AnyV6(port), Families::kBoth, backlog);
  if (!opened.ok() && KindOf(opened.status()) == NetErrorKind::kAddressNotLocal) {
    opened = OpenOne(syscalls, SocketAddress::AnyV4(port), Families::kOne, backlog);
  }
  if (!opened.ok()) return opened.status();
  return std::vector<BoundSocket>{{opened->fd.Release(), opened->address}};
}

absl::StatusOr<std::vector<BoundSocket>> OpenEach(Syscalls& syscalls,
                                                  const std::vector<SocketAddress>& addresses,
                                                  uint16_t port, int backlog) {
  std::vector<Opened> sockets;
  absl::Status not_local;
  const bool has_v4 = std::any_of(addresses.begin(), addresses.end(),
                                  [](const SocketAddress& a) { return a.family() == AF_INET; });
  for (SocketAddress address : addresses) {
    address.set_port(port);
    // Who asks for "::" alone means all interfaces, as with no address at all.
    const bool is_any = !has_v4 && address == SocketAddress::AnyV6(port);
    absl::StatusOr<Opened> opened =
        OpenOne(syscalls, address, is_any ? Families::kBoth : Families::kOne, backlog);
    if (!opened.ok()) {
      if (KindOf(opened.status()) != NetErrorKind::kAddressNotLocal) return opened.status();
      not_local.Update(opened.status());
      continue;
    }
    port = opened->address.port();
    sockets.push_back(*std::move(opened));
  }
  if (sockets.empty()) return not_local;
  return Released(std::move(sockets));
}

absl::StatusOr<uint16_t> PortOf(const ListenOptions& options) {
  uint16_t port = options.port;
  for (const SocketAddress& address : options.addresses) {
    if (!address.is_valid()) {
      return NetError("cannot listen on an address that is neither IPv4 nor IPv6",
                      {.kind = NetErrorKind::kAddressNotLocal});
    }
    if (address.port() == 0 || address.port() == port) continue;
    if (port != 0) {
      return absl::InvalidArgumentError(absl::StrCat("cannot listen on port ", port, " and port ",
                                                     address.port(),
                                                     " at once: all addresses share one port"));
    }
    port = address.port();
  }
  return port;
}

absl::Status BadDescriptor(int fd, absl::string_view why, int errno_value = 0) {
  return NetError(absl::StrCat("cannot take over descriptor ", fd, ": ", why),
                  {.kind = NetErrorKind::kBadDescriptor, .errno_value = errno_value});
}

absl::StatusOr<SocketAddress> CheckAdoptable(Syscalls& syscalls, int fd, uint16_t port) {
  int type = 0;
  socklen_t length_bytes = sizeof(type);
  if (const int got = syscalls.GetSockOpt(fd, SOL_SOCKET, SO_TYPE, &type, &length_bytes); got < 0) {
    return BadDescriptor(fd, "it is not an open socket", -got);
  }
  if (type != SOCK_STREAM) return BadDescriptor(fd, "it is not a stream (TCP) socket");
  const absl::StatusOr<SocketAddress> address = LocalAddressOf(syscalls, fd);
  if (!address.ok()) return BadDescriptor(fd, address.status().message());
  if (!address->is_valid()) return BadDescriptor(fd, "it is neither an IPv4 nor an IPv6 socket");
  if (address->port() == 0) return BadDescriptor(fd, "it is not bound to a port");
  if (port != 0 && address->port() != port) {
    return BadDescriptor(
        fd, absl::StrCat("it is bound to port ", address->port(), ", not to port ", port));
  }
  if (PeerAddressOf(syscalls, fd).ok()) {
    return BadDescriptor(fd, "it is a connection, not a socket to listen on");
  }
  return *address;
}

absl::StatusOr<std::vector<BoundSocket>> Adopt(Syscalls& syscalls, int fd, uint16_t port,
                                               int backlog) {
  const absl::StatusOr<SocketAddress> address = CheckAdoptable(syscalls, fd, port);
  if (!address.ok()) return address.status();
  const int flags = syscalls.GetFlags(fd);
  if (flags < 0) return BadDescriptor(fd, "its flags cannot be read", -flags);
  SetConnectionOptions(syscalls, fd);
  // On a socket that listens already, this only sets the backlog.
  if (const int listens = syscalls.Listen(fd, backlog); listens < 0) {
    return ListenError("listen", -listens, *address);
  }
  if (const int set = syscalls.SetFlags(fd, flags | O_NONBLOCK); set < 0) {
    return BadDescriptor(fd, "it cannot be made non-blocking", -set);
  }
  if (const int set = syscalls.SetCloseOnExec(fd); set < 0) {
    return BadDescriptor(fd, "it cannot be made close-on-exec", -set);
  }
  return std::vector<BoundSocket>{{fd, *address}};
}

}  // namespace

absl::StatusOr<std::vector<BoundSocket>> OpenListenSockets(Syscalls& syscalls,
                                                           const ListenOptions& options) {
  const absl::StatusOr<uint16_t> port = PortOf(options);
  if (!port.ok()) return port.status();
  if (options.adopt_fd >= 0) return Adopt(syscalls, options.adopt_fd, *port, options.backlog);
  if (options.addresses.empty()) return OpenAllInterfaces(syscalls, *port, options.backlog);
  for (int choice = 1;; ++choice) {
    absl::StatusOr<std::vector<BoundSocket>> opened =
        OpenEach(syscalls, options.addresses, *port, options.backlog);
    const bool is_unlucky =
        *port == 0 && !opened.ok() && KindOf(opened.status()) == NetErrorKind::kAddressInUse;
    if (!is_unlucky || choice == kPortChoicesMax) return opened;
  }
}

AcceptFailure ClassifyAcceptFailure(int errno_value) {
  switch (errno_value) {
    case EAGAIN:
      return AcceptFailure::kNothingToAccept;
    case EBADF:
    case ENOTSOCK:
    case EINVAL:
    case EFAULT:
    case EOPNOTSUPP:
      return AcceptFailure::kBroken;
    case EMFILE:
    case ENFILE:
    case ENOBUFS:
    case ENOMEM:
      return AcceptFailure::kRest;
    default:
      // Linux hands the errors of the new connection to accept: ECONNABORTED, EPROTO, ENETDOWN,
      // EPERM from a firewall, and more.
      return AcceptFailure::kTryAgain;
  }
}

}  // namespace rollcall::net
