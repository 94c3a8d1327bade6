#include "net/real_env.h"

#include <pthread.h>
#include <sys/random.h>
#include <unistd.h>

#include <climits>
#include <cstdlib>
#include <fstream>
#include <system_error>
#include <thread>
#include <utility>

#include "glog/logging.h"
#include "net/std_monitor.h"
#include "net/steady_time.h"
#include "net/uv_loop.h"

namespace rollcall::net {
namespace {

constexpr size_t kThreadNameBytesMax = 15;  // The kernel's.

class StdThread final : public Thread {
 public:
  explicit StdThread(std::thread thread) : thread_(std::move(thread)) {}
  ~StdThread() override { thread_.join(); }

 private:
  std::thread thread_;
};

}  // namespace

SystemEnv::SystemEnv(Syscalls* syscalls) : SyscallEnv(syscalls) {}

absl::Time SystemEnv::Now() { return SteadyNow(); }

void SystemEnv::SleepUntil(absl::Time deadline) {
  while (SteadyNow() < deadline) std::this_thread::sleep_until(SteadyPoint(deadline));
}

std::unique_ptr<Thread> SystemEnv::StartThread(std::string name, absl::AnyInvocable<void()> body) {
  try {
    return std::make_unique<StdThread>(
        std::thread([name = name.substr(0, kThreadNameBytesMax), body = std::move(body)]() mutable {
          pthread_setname_np(pthread_self(), name.c_str());
          body();
        }));
  } catch (const std::system_error& error) {
    LOG(ERROR) << "cannot start the thread \"" << name << "\": " << error.what()
               << "; raise the limit on processes (ulimit -u, pids.max)";
    return nullptr;
  }
}

std::unique_ptr<Monitor> SystemEnv::NewMonitor() { return std::make_unique<StdMonitor>(); }

absl::StatusOr<std::unique_ptr<EventLoop>> SystemEnv::NewEventLoop(EventLoopKind kind) {
  if (kind == EventLoopKind::kLibuv) return UvLoop::New(&syscalls(), this);
  return SyscallEnv::NewEventLoop(kind);
}

uint64_t SystemEnv::RandomBits() {
  uint64_t bits = 0;
  // Fails only where the kernel lacks the call, which is older than any we run on.
  CHECK_EQ(getentropy(&bits, sizeof(bits)), 0) << "the kernel has no random bits";
  return bits;
}

std::optional<std::string> SystemEnv::GetEnvironmentVariable(const std::string& name) {
  const char* const value = std::getenv(name.c_str());
  if (value == nullptr) return std::nullopt;
  return value;
}

int SystemEnv::ProcessId() { return getpid(); }

std::string SystemEnv::HostName() {
  char name[HOST_NAME_MAX + 1] = "";
  if (gethostname(name, sizeof(name)) != 0 || name[0] == '\0') return "127.0.0.1";
  name[HOST_NAME_MAX] = '\0';
  return name;
}

std::optional<int> SystemEnv::MaxListenBacklog() {
  std::ifstream file("/proc/sys/net/core/somaxconn");
  int backlog = 0;
  if (!(file >> backlog)) return std::nullopt;
  return backlog;
}

Env& RealEnv() {
  static SystemEnv* const env = new SystemEnv(&RealSyscalls());
  return *env;
}

}  // namespace rollcall::net
