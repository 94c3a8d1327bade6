#include "net/accept_socket.h"

#include <errno.h>

#include "absl/strings/str_cat.h"
#include "net/net_error.h"
#include "net/socket_connection.h"
#include "net/socket_options.h"
#include "net/wait_ready.h"

namespace rollcall::net {

absl::StatusOr<std::unique_ptr<Connection>> AcceptSocket::Accept(absl::Time deadline) {
  const std::string what = absl::StrCat("accepting on ", address_.ToString());
  while (true) {
    sockaddr_storage storage = {};
    socklen_t length_bytes = sizeof(storage);
    auto* const raw_peer = reinterpret_cast<sockaddr*>(&storage);
    const int fd = syscalls_->Accept4(fd_.get(), raw_peer, &length_bytes, SOCK_CLOEXEC);
    if (fd >= 0) {
      OwnedFd owned(syscalls_, fd);
      const absl::StatusOr<SocketAddress> local = LocalAddressOf(*syscalls_, fd);
      if (!local.ok()) return local.status();
      return std::make_unique<SocketConnection>(env_, syscalls_, owned.Release(), *local,
                                                SocketAddress(raw_peer, length_bytes));
    }
    const AcceptFailure failure = ClassifyAcceptFailure(-fd);
    if (failure == AcceptFailure::kTryAgain) continue;
    if (failure != AcceptFailure::kNothingToAccept) {
      return ErrnoError(what, -fd, Phase::kOther, address_.ToString());
    }
    const int ready = WaitReady(*syscalls_, *env_, fd_.get(), POLLIN, deadline);
    if (ready < 0) return ErrnoError(what, -ready, Phase::kOther, address_.ToString());
    if (ready == 0) {
      return NetError(absl::StrCat(what, ": nobody came"),
                      {.kind = NetErrorKind::kTimedOut, .address = address_.ToString()});
    }
  }
}

}  // namespace rollcall::net
