#include "net/syscall_env.h"

#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "net/accept_socket.h"
#include "net/connect_race.h"
#include "net/epoll_loop.h"
#include "net/listen_sockets.h"
#include "net/socket_connection.h"

namespace rollcall::net {
namespace {

// Listen has no deadline of its own, and a resolver that hangs must not hang it.
constexpr absl::Duration kListenLookUpMax = absl::Seconds(30);

}  // namespace

absl::StatusOr<std::vector<SocketAddress>> SyscallEnv::Resolve(const Endpoint& endpoint,
                                                               absl::Time deadline) {
  return resolver_.Resolve(endpoint, deadline);
}

absl::StatusOr<std::unique_ptr<Connection>> SyscallEnv::ConnectAny(
    absl::Span<const SocketAddress> addresses, absl::Time deadline) {
  absl::StatusOr<ConnectRace::Winner> winner =
      ConnectRace(&syscalls_, this, addresses, deadline).Run();
  if (!winner.ok()) return winner.status();
  return std::make_unique<SocketConnection>(this, &syscalls_, winner->fd.Release(), winner->local,
                                            winner->peer);
}

absl::StatusOr<std::unique_ptr<ListeningSocket>> SyscallEnv::Listen(const Endpoint& endpoint) {
  ListenOptions options;
  options.port = endpoint.port;
  if (endpoint.host.empty()) {
    absl::StatusOr<std::vector<BoundSocket>> opened = OpenListenSockets(syscalls_, options);
    if (!opened.ok()) return opened.status();
    return std::make_unique<AcceptSocket>(this, &syscalls_, opened->front());
  }
  const absl::StatusOr<std::vector<SocketAddress>> addresses =
      Resolve(endpoint, Now() + kListenLookUpMax);
  if (!addresses.ok()) return addresses.status();
  absl::Status first_error;
  for (const SocketAddress& address : *addresses) {
    options.addresses = {address};
    absl::StatusOr<std::vector<BoundSocket>> opened = OpenListenSockets(syscalls_, options);
    if (opened.ok()) return std::make_unique<AcceptSocket>(this, &syscalls_, opened->front());
    first_error.Update(opened.status());
  }
  return first_error;
}

absl::StatusOr<std::unique_ptr<EventLoop>> SyscallEnv::NewEventLoop(EventLoopKind kind) {
  if (kind == EventLoopKind::kEpoll) return EpollLoop::New(&syscalls_, this);
  return absl::UnimplementedError(
      absl::StrCat("this Env has no event loop \"", EventLoopKindName(kind), "\""));
}

}  // namespace rollcall::net
