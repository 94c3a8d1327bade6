// The Env of a process on a machine.
#ifndef ROLLCALL_NET_REAL_ENV_H_
#define ROLLCALL_NET_REAL_ENV_H_

#include <memory>
#include <optional>
#include <string>

#include "net/env.h"
#include "net/syscall_env.h"
#include "net/syscalls.h"

namespace rollcall::net {

// RealEnv() is one of these over RealSyscalls(). A test makes its own, over a SyscallsDecorator, to
// let system calls fail beneath whatever takes an Env.
class SystemEnv final : public SyscallEnv {
 public:
  // `syscalls` must outlive it. Destroying it waits for name look-ups that hang.
  explicit SystemEnv(Syscalls* syscalls);

  // The same clock in every SystemEnv of the process.
  absl::Time Now() override;
  void SleepUntil(absl::Time deadline) override;
  std::unique_ptr<Thread> StartThread(std::string name, absl::AnyInvocable<void()> body) override;
  std::unique_ptr<Monitor> NewMonitor() override;
  absl::StatusOr<std::unique_ptr<EventLoop>> NewEventLoop(EventLoopKind kind) override;
  // The kernel's, each time: a forked process draws other bits than its parent.
  uint64_t RandomBits() override;
  std::optional<std::string> GetEnvironmentVariable(const std::string& name) override;
  int ProcessId() override;
  // "127.0.0.1" if the system will not tell.
  std::string HostName() override;
  std::optional<int> MaxListenBacklog() override;
};

}  // namespace rollcall::net

#endif  // ROLLCALL_NET_REAL_ENV_H_
