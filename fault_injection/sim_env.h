// The Env of one simulated process.
#ifndef ROLLCALL_FAULT_INJECTION_SIM_ENV_H_
#define ROLLCALL_FAULT_INJECTION_SIM_ENV_H_

#include <cstdint>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "absl/functional/any_invocable.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "fault_injection/world.h"
#include "net/env.h"
#include "net/event_loop.h"
#include "net/monitor.h"
#include "net/syscall_env.h"
#include "net/syscalls.h"

namespace rollcall::fault {

// What a process was started with, and the machine that it runs on.
struct SimProcess {
  std::string host;                                // "w1": what plans, traces and pictures call it.
  std::map<std::string, std::string> environment;  // All there is; none of the real process's.
  std::optional<int> process_id;                   // nullopt: one that hangs on `host` alone.
  std::string host_name;                           // Empty: `host`.
  std::optional<int> max_listen_backlog = 4096;    // nullopt: it cannot be read.
  int threads_max =
      std::numeric_limits<int>::max();  // Beside the main one; beyond it, none to give.
};

// Threads are fibers, time is the world's, chance comes from the world's choices, and the network
// is that of the system calls handed in: the code above runs as it does in production.
class SimEnv final : public net::SyscallEnv {
 public:
  // Both must outlive it.
  SimEnv(World* world, net::Syscalls* syscalls, SimProcess process);
  // Kills what is left of its fibers (World::Kill), so neither from one of them nor from an event.
  ~SimEnv() override;

  // Runs `main` as the process's main thread. The world's run waits for it.
  void Start(absl::AnyInvocable<void()> main);
  const SimProcess& process() const { return process_; }

  absl::Time Now() override;
  void SleepUntil(absl::Time deadline) override;
  // Its actor is "host/name"; the second one of that name is "host/name#2".
  std::unique_ptr<net::Thread> StartThread(std::string name,
                                           absl::AnyInvocable<void()> body) override;
  std::unique_ptr<net::Monitor> NewMonitor() override;
  // The loop of kEpoll, whatever was asked for: libuv makes system calls of its own, and both keep
  // one contract. So code that takes the default runs as it is.
  absl::StatusOr<std::unique_ptr<net::EventLoop>> NewEventLoop(net::EventLoopKind kind) override;
  // Where the choice says 0 they still differ from call to call and from thread to thread.
  uint64_t RandomBits() override;
  std::optional<std::string> GetEnvironmentVariable(const std::string& name) override;
  int ProcessId() override;
  std::string HostName() override;
  std::optional<int> MaxListenBacklog() override;

 private:
  World& world_;
  const SimProcess process_;
  std::map<std::string, int> threads_named_;
  std::map<std::string, uint64_t> random_draws_;  // By actor.
  int threads_alive_ = 0;
  int monitors_made_ = 0;
};

}  // namespace rollcall::fault

#endif  // ROLLCALL_FAULT_INJECTION_SIM_ENV_H_
