// A Connection on a socket.
#ifndef ROLLCALL_NET_SOCKET_CONNECTION_H_
#define ROLLCALL_NET_SOCKET_CONNECTION_H_

#include <atomic>
#include <cstddef>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "net/address.h"
#include "net/connection.h"
#include "net/env.h"
#include "net/net_error.h"
#include "net/owned_fd.h"
#include "net/syscalls.h"

namespace rollcall::net {

// What an exchange costs is why the socket is a blocking one. A client reads when it has just sent
// a request, so that the reply is not there yet: "try, then poll, then receive" would be three
// calls and "poll, then receive" two. One blocking receive is one, but the kernel keeps its
// time-out (SO_RCVTIMEO) only to a clock tick or two. So the first receive of a Read blocks, for at
// most kReceiveSlice and only where the deadline is far enough off; whoever waits longer than that
// polls, which is exact, and pays the two calls more where they no longer matter. A send never
// blocks (MSG_DONTWAIT): it nearly always takes everything at once.
constexpr absl::Duration kReceiveSlice = absl::Milliseconds(40);

class SocketConnection final : public Connection {
 public:
  // Takes over a connected socket in blocking mode and sets its options. `env` (for its clock) and
  // `syscalls` must outlive it.
  SocketConnection(Env* env, Syscalls* syscalls, int fd, const SocketAddress& local,
                   const SocketAddress& peer);

  absl::Status Write(absl::string_view bytes, absl::Time deadline) override;
  absl::StatusOr<size_t> Read(char* buffer, size_t size_bytes, absl::Time deadline) override;
  absl::Status ShutdownWrite() override;
  void Shutdown() override;
  void ResetOnClose() override;
  const SocketAddress& local_address() const override { return local_; }
  const SocketAddress& peer_address() const override { return peer_; }

 private:
  // OK when the socket should be tried again.
  absl::Status WaitFor(short events, absl::string_view what, absl::Time start, absl::Time deadline);
  // The kernel is short of memory, which no poll tells the end of.
  absl::Status PauseForMemory(int errno_value, absl::Time start, absl::Time deadline);
  absl::Status Failure(NetErrorKind kind, absl::string_view what, int errno_value,
                       absl::Time start);

  Env* const env_;
  Syscalls* const syscalls_;
  const OwnedFd fd_;
  const SocketAddress local_;
  const SocketAddress peer_;
  bool receive_is_bounded_ = false;  // SO_RCVTIMEO is set: a blocking receive returns.
  std::atomic<bool> shut_down_ = false;
  std::atomic<bool> write_ended_ = false;
};

}  // namespace rollcall::net

#endif  // ROLLCALL_NET_SOCKET_CONNECTION_H_
