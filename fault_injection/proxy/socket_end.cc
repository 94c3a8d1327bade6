#include "fault_injection/proxy/socket_end.h"

#include <sys/socket.h>

#include <utility>

#include "glog/logging.h"
#include "net/net_error.h"

namespace rollcall::fault {

SocketEnd::SocketEnd(net::SocketLoop* loop, net::OwnedFd fd,
                     absl::AnyInvocable<void(uint8_t)> on_ready)
    : loop_(*loop), fd_(std::move(fd)), on_ready_(std::move(on_ready)) {}

void SocketEnd::SetInterest(uint8_t interest) {
  if (interest == interest_ || !fd_.is_open()) return;
  interest_ = interest;
  if (interest == 0) return loop_.Unwatch(this, fd_.get());
  const int watched = loop_.Watch(this, fd_.get(), interest);
  CHECK_EQ(watched, 0) << "the proxy cannot watch a connection: " << net::ErrnoName(-watched);
}

ssize_t SocketEnd::Receive(absl::Span<char> buffer) {
  return loop_.syscalls().Recv(fd_.get(), buffer.data(), buffer.size(), MSG_DONTWAIT);
}

ssize_t SocketEnd::Send(absl::string_view bytes) {
  return loop_.syscalls().Send(fd_.get(), bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
}

void SocketEnd::EndWriting() { loop_.syscalls().Shutdown(fd_.get(), SHUT_WR); }

void SocketEnd::Reset() {
  if (!fd_.is_open()) return;
  SetInterest(0);
  CloseWithReset(loop_.syscalls(), fd_);
}

void SocketEnd::Close() {
  if (!fd_.is_open()) return;
  SetInterest(0);
  fd_.Reset();
}

void CloseWithReset(net::Syscalls& syscalls, net::OwnedFd& fd) {
  const linger at_once = {.l_onoff = 1, .l_linger = 0};
  syscalls.SetSockOpt(fd.get(), SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
  fd.Reset();
}

}  // namespace rollcall::fault
