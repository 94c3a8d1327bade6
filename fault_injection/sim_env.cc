#include "fault_injection/sim_env.h"

#include <utility>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/str_cat.h"
#include "fault_injection/sim_monitor.h"
#include "fault_injection/stable_hash.h"

namespace rollcall::fault {
namespace {

class SimThread final : public net::Thread {
 public:
  SimThread(World* world, FiberId fiber) : world_(*world), fiber_(fiber) {}
  ~SimThread() override { world_.Join(fiber_); }

 private:
  World& world_;
  const FiberId fiber_;
};

}  // namespace

SimEnv::SimEnv(World* world, net::Syscalls* syscalls, SimProcess process)
    : SyscallEnv(syscalls), world_(*world), process_(std::move(process)) {}

SimEnv::~SimEnv() { world_.Kill(process_.host); }

void SimEnv::Start(absl::AnyInvocable<void()> main) {
  world_.Spawn(process_.host, std::move(main));
}

absl::Time SimEnv::Now() { return world_.Now(); }

void SimEnv::SleepUntil(absl::Time deadline) {
  while (world_.Now() < deadline) world_.Block(deadline, "the end of a sleep");
}

std::unique_ptr<net::Thread> SimEnv::StartThread(std::string name,
                                                 absl::AnyInvocable<void()> body) {
  if (threads_alive_ >= process_.threads_max) return nullptr;
  std::string actor = absl::StrCat(process_.host, "/", name);
  if (const int so_far = ++threads_named_[name]; so_far > 1) absl::StrAppend(&actor, "#", so_far);
  ++threads_alive_;
  const FiberId fiber = world_.Spawn(std::move(actor), [this, body = std::move(body)]() mutable {
    const auto ends = absl::MakeCleanup([this] { --threads_alive_; });
    body();
  });
  return std::make_unique<SimThread>(&world_, fiber);
}

std::unique_ptr<net::Monitor> SimEnv::NewMonitor() {
  return std::make_unique<SimMonitor>(
      &world_, absl::StrCat("monitor ", ++monitors_made_, " of ", process_.host));
}

absl::StatusOr<std::unique_ptr<net::EventLoop>> SimEnv::NewEventLoop(net::EventLoopKind) {
  return SyscallEnv::NewEventLoop(net::EventLoopKind::kEpoll);
}

uint64_t SimEnv::RandomBits() {
  const std::string& actor = world_.current_actor();
  const uint64_t dull =
      HashCombine(HashCombine(HashBytes(process_.host), HashBytes(actor)), ++random_draws_[actor]);
  return dull + world_.Choose("random bits", std::numeric_limits<uint64_t>::max());
}

std::optional<std::string> SimEnv::GetEnvironmentVariable(const std::string& name) {
  const auto found = process_.environment.find(name);
  if (found == process_.environment.end()) return std::nullopt;
  return found->second;
}

int SimEnv::ProcessId() {
  constexpr uint64_t kProcessIdMax = 32'768;
  if (process_.process_id.has_value()) return *process_.process_id;
  return static_cast<int>(2 + HashBytes(process_.host) % (kProcessIdMax - 2));
}

std::string SimEnv::HostName() {
  return process_.host_name.empty() ? process_.host : process_.host_name;
}

std::optional<int> SimEnv::MaxListenBacklog() { return process_.max_listen_backlog; }

}  // namespace rollcall::fault
