#include "net/socket_connection.h"

#include <errno.h>
#include <sys/time.h>

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "net/socket_options.h"
#include "net/wait_ready.h"

namespace rollcall::net {
namespace {

constexpr absl::Duration kMemoryPause = absl::Milliseconds(10);

constexpr absl::string_view kReading = "reading from ";
constexpr absl::string_view kWriting = "writing to ";

bool WouldBlock(ssize_t result) { return result == -EAGAIN || result == -EWOULDBLOCK; }

bool IsShortOfMemory(ssize_t result) { return result == -ENOBUFS || result == -ENOMEM; }

}  // namespace

SocketConnection::SocketConnection(Env* env, Syscalls* syscalls, int fd, const SocketAddress& local,
                                   const SocketAddress& peer)
    : env_(env), syscalls_(syscalls), fd_(syscalls, fd), local_(local), peer_(peer) {
  SetConnectionOptions(*syscalls, fd);
  const timeval slice = absl::ToTimeval(kReceiveSlice);
  receive_is_bounded_ =
      syscalls->SetSockOpt(fd, SOL_SOCKET, SO_RCVTIMEO, &slice, sizeof(slice)) == 0;
}

absl::Status SocketConnection::Write(absl::string_view bytes, absl::Time deadline) {
  const absl::Time start = env_->Now();
  if (shut_down_) return Failure(NetErrorKind::kShutDown, kWriting, 0, start);
  while (!bytes.empty()) {
    const ssize_t sent =
        syscalls_->Send(fd_.get(), bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    absl::Status again;
    if (sent > 0) {
      bytes.remove_prefix(static_cast<size_t>(sent));
    } else if (sent == 0 || WouldBlock(sent)) {
      again = WaitFor(POLLOUT, kWriting, start, deadline);
    } else if (IsShortOfMemory(sent)) {
      again = PauseForMemory(static_cast<int>(-sent), start, deadline);
    } else if (sent != -EINTR) {
      const int errno_value = static_cast<int>(-sent);
      const bool is_ours = errno_value == EPIPE && (shut_down_ || write_ended_);
      return Failure(is_ours ? NetErrorKind::kShutDown : KindOfErrno(errno_value, Phase::kTransfer),
                     kWriting, errno_value, start);
    }
    if (!again.ok()) return again;
  }
  return absl::OkStatus();
}

absl::StatusOr<size_t> SocketConnection::Read(char* buffer, size_t size_bytes,
                                              absl::Time deadline) {
  const absl::Time start = env_->Now();
  // Twice the slice: the kernel's timer may be late by a tick, and must not be late for `deadline`.
  bool blocks = receive_is_bounded_ && deadline - start >= 2 * kReceiveSlice;
  while (true) {
    const ssize_t received =
        syscalls_->Recv(fd_.get(), buffer, size_bytes, blocks ? 0 : MSG_DONTWAIT);
    if (shut_down_) return Failure(NetErrorKind::kShutDown, kReading, 0, start);
    if (received > 0) return static_cast<size_t>(received);
    if (received == 0) return Failure(NetErrorKind::kClosedByPeer, kReading, 0, start);
    blocks = false;
    if (received == -EINTR) continue;
    const int errno_value = static_cast<int>(-received);
    absl::Status again;
    if (WouldBlock(received)) {
      again = WaitFor(POLLIN, kReading, start, deadline);
    } else if (IsShortOfMemory(received)) {
      again = PauseForMemory(errno_value, start, deadline);
    } else {
      again = Failure(KindOfErrno(errno_value, Phase::kTransfer), kReading, errno_value, start);
    }
    if (!again.ok()) return again;
  }
}

absl::Status SocketConnection::ShutdownWrite() {
  const int result = syscalls_->Shutdown(fd_.get(), SHUT_WR);
  // The peer, or Shutdown(), cut the connection before.
  if (result == -ENOTCONN) {
    const NetErrorKind kind = shut_down_ ? NetErrorKind::kShutDown : NetErrorKind::kClosedByPeer;
    return Failure(kind, "ending the stream to ", -result, env_->Now());
  }
  if (result < 0) {
    return ErrnoError(absl::StrCat("ending the stream to ", peer_.ToString()), -result,
                      Phase::kTransfer, peer_.ToString());
  }
  write_ended_ = true;
  return absl::OkStatus();
}

void SocketConnection::Shutdown() {
  // First the flag: whoever is woken by the call below must find it.
  shut_down_ = true;
  syscalls_->Shutdown(fd_.get(), SHUT_RDWR);
}

void SocketConnection::ResetOnClose() {
  const linger at_once = {.l_onoff = 1, .l_linger = 0};
  syscalls_->SetSockOpt(fd_.get(), SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
}

absl::Status SocketConnection::WaitFor(short events, absl::string_view what, absl::Time start,
                                       absl::Time deadline) {
  const int ready = WaitReady(*syscalls_, *env_, fd_.get(), events, deadline);
  if (shut_down_) return Failure(NetErrorKind::kShutDown, what, 0, start);
  if (ready == 0) return Failure(NetErrorKind::kTimedOut, what, 0, start);
  if (IsShortOfMemory(ready)) return PauseForMemory(-ready, start, deadline);
  if (ready < 0) return Failure(KindOfErrno(-ready, Phase::kOther), what, -ready, start);
  return absl::OkStatus();
}

absl::Status SocketConnection::PauseForMemory(int errno_value, absl::Time start,
                                              absl::Time deadline) {
  const absl::Time now = env_->Now();
  if (now >= deadline) {
    return Failure(NetErrorKind::kResourceExhausted, "moving bytes to or from ", errno_value,
                   start);
  }
  env_->SleepUntil(std::min(now + kMemoryPause, deadline));
  return absl::OkStatus();
}

absl::Status SocketConnection::Failure(NetErrorKind kind, absl::string_view what, int errno_value,
                                       absl::Time start) {
  const std::string peer = peer_.ToString();
  return NetError(
      absl::StrCat(what, peer, ": ", NetErrorKindName(kind)),
      {.kind = kind, .errno_value = errno_value, .address = peer, .elapsed = env_->Now() - start});
}

}  // namespace rollcall::net
