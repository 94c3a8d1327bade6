#include "fault_injection/proxy/dial.h"

#include <errno.h>
#include <sys/socket.h>

#include <utility>

#include "net/socket_options.h"

namespace rollcall::fault {

Dial::Dial(net::SocketLoop* loop, const net::SocketAddress& address, Done done)
    : loop_(*loop), done_(std::move(done)) {
  net::Syscalls& syscalls = loop_.syscalls();
  int result = syscalls.Socket(address.family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (result >= 0) {
    fd_ = net::OwnedFd(&syscalls, result);
    net::SetConnectionOptions(syscalls, fd_.get());
    result = syscalls.Connect(fd_.get(), address.data(), address.size_bytes());
    if (result == -EINPROGRESS || result == -EINTR) {
      result = loop_.Watch(this, fd_.get(), net::kWritable);
      if (result == 0) return;
    }
  }
  // Never inside the call that asked for it.
  at_once_ = loop_.RunAt(loop_.Now(), [this, result] {
    at_once_ = 0;
    Finish(-result);
  });
}

Dial::~Dial() {
  if (at_once_ != 0) loop_.CancelTimer(at_once_);
  loop_.Unwatch(this, fd_.get());
}

void Dial::OnReady(uint8_t) {
  loop_.Unwatch(this, fd_.get());
  int errno_value = 0;
  socklen_t length_bytes = sizeof(errno_value);
  const int got =
      loop_.syscalls().GetSockOpt(fd_.get(), SOL_SOCKET, SO_ERROR, &errno_value, &length_bytes);
  Finish(got < 0 ? -got : errno_value);
}

void Dial::Finish(int errno_value) {
  if (errno_value != 0) fd_.Reset();
  // `done` may destroy what holds it.
  Done done = std::move(done_);
  done(errno_value, std::move(fd_));
}

}  // namespace rollcall::fault
