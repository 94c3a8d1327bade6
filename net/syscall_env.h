// The network part of an Env, on a table of system calls.
#ifndef ROLLCALL_NET_SYSCALL_ENV_H_
#define ROLLCALL_NET_SYSCALL_ENV_H_

#include <memory>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "net/env.h"
#include "net/resolver.h"
#include "net/syscalls.h"

namespace rollcall::net {

// Every network call goes through `syscalls` and every look at the time, wait and thread through
// the Env itself, so that a simulator which derives from this runs the network code of production
// on a kernel of its own. Time, threads, chance and the process are left to the derived class.
class SyscallEnv : public Env {
 public:
  // `syscalls` must outlive it.
  explicit SyscallEnv(Syscalls* syscalls) : syscalls_(*syscalls), resolver_(this, syscalls) {}

  absl::StatusOr<std::vector<SocketAddress>> Resolve(const Endpoint& endpoint,
                                                     absl::Time deadline) override;
  absl::StatusOr<std::unique_ptr<Connection>> ConnectAny(absl::Span<const SocketAddress> addresses,
                                                         absl::Time deadline) override;
  // Of a name with several addresses, listens on the first that is this host's.
  absl::StatusOr<std::unique_ptr<ListeningSocket>> Listen(const Endpoint& endpoint) override;
  // kEpoll only.
  absl::StatusOr<std::unique_ptr<EventLoop>> NewEventLoop(EventLoopKind kind) override;

 protected:
  Syscalls& syscalls() { return syscalls_; }

 private:
  Syscalls& syscalls_;
  Resolver resolver_;
};

}  // namespace rollcall::net

#endif  // ROLLCALL_NET_SYSCALL_ENV_H_
