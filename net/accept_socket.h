// A ListeningSocket on a socket.
#ifndef ROLLCALL_NET_ACCEPT_SOCKET_H_
#define ROLLCALL_NET_ACCEPT_SOCKET_H_

#include <memory>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "net/address.h"
#include "net/connection.h"
#include "net/env.h"
#include "net/listen_sockets.h"
#include "net/owned_fd.h"
#include "net/syscalls.h"

namespace rollcall::net {

class AcceptSocket final : public ListeningSocket {
 public:
  // Takes over `socket`. `env` and `syscalls` must outlive it and the connections made from it.
  AcceptSocket(Env* env, Syscalls* syscalls, const BoundSocket& socket)
      : env_(env), syscalls_(syscalls), fd_(syscalls, socket.fd), address_(socket.address) {}

  // kTimedOut; kResourceExhausted at once when descriptors are short: the connection stays in the
  // backlog.
  absl::StatusOr<std::unique_ptr<Connection>> Accept(absl::Time deadline) override;
  const SocketAddress& address() const override { return address_; }
  int fd() const override { return fd_.get(); }
  int Release() override { return fd_.Release(); }

 private:
  Env* const env_;
  Syscalls* const syscalls_;
  OwnedFd fd_;
  const SocketAddress address_;
};

}  // namespace rollcall::net

#endif  // ROLLCALL_NET_ACCEPT_SOCKET_H_
