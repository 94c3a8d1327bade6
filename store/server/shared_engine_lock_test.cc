// A lock that many threads want is not held while the kernel works.
#include <atomic>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "net/address.h"
#include "net/env.h"
#include "net/epoll_loop.h"
#include "net/event_loop.h"
#include "net/monitor.h"
#include "net/real_env.h"
#include "net/std_monitor.h"
#include "net/syscalls.h"
#include "net/syscalls_decorator.h"
#include "store/protocol/dialect.h"
#include "store/protocol/wire_text.h"
#include "store/server/server_cores.h"
#include "store/server/server_options.h"
#include "store/server/server_stats.h"
#include "store/server/shared_engine.h"
#include "testing/server_scenario.h"

namespace rollcall {
namespace {

constexpr size_t kLoops = 3;

thread_local bool holds_the_lock = false;

class WatchedMonitor final : public net::Monitor {
 public:
  void Lock() override ABSL_NO_THREAD_SAFETY_ANALYSIS {
    monitor_.Lock();
    holds_the_lock = true;
  }
  void Unlock() override ABSL_NO_THREAD_SAFETY_ANALYSIS {
    holds_the_lock = false;
    monitor_.Unlock();
  }
  bool WaitUntil(absl::Time deadline) override ABSL_NO_THREAD_SAFETY_ANALYSIS {
    return monitor_.WaitUntil(deadline);
  }
  void NotifyAll() override { monitor_.NotifyAll(); }

 private:
  net::StdMonitor monitor_;
};

class WatchedSyscalls final : public net::SyscallsDecorator {
 public:
  int Accept4(int fd, sockaddr* address, socklen_t* length_bytes, int flags) override {
    Look();
    return SyscallsDecorator::Accept4(fd, address, length_bytes, flags);
  }
  ssize_t Recv(int fd, void* buffer, size_t size_bytes, int flags) override {
    Look();
    return SyscallsDecorator::Recv(fd, buffer, size_bytes, flags);
  }
  ssize_t Send(int fd, const void* buffer, size_t size_bytes, int flags) override {
    Look();
    return SyscallsDecorator::Send(fd, buffer, size_bytes, flags);
  }
  ssize_t SendMsg(int fd, const msghdr* message, int flags) override {
    Look();
    return SyscallsDecorator::SendMsg(fd, message, flags);
  }
  int Close(int fd) override {
    Look();
    return SyscallsDecorator::Close(fd);
  }
  int EpollCtl(int epoll_fd, int operation, int fd, epoll_event* event) override {
    Look();
    return SyscallsDecorator::EpollCtl(epoll_fd, operation, fd, event);
  }
  int EventFdSignal(int fd) override {
    Look();
    return SyscallsDecorator::EventFdSignal(fd);
  }

  int calls() const { return calls_; }
  int calls_under_the_lock() const { return calls_under_the_lock_; }

 private:
  void Look() {
    ++calls_;
    if (holds_the_lock) ++calls_under_the_lock_;
  }

  std::atomic<int> calls_{0};
  std::atomic<int> calls_under_the_lock_{0};
};

class WatchedServer {
 public:
  explicit WatchedServer(const ServerOptions& options)
      : engine_(std::make_unique<WatchedMonitor>(), kLoops) {
    std::vector<ServerLoop> server_loops;
    for (size_t i = 0; i < kLoops; ++i) {
      loops_.push_back(net::EpollLoop::New(&syscalls_, &env_).value());
      server_loops.push_back({.loop = loops_[i].get(), .engine = engine_.port(i)});
    }
    cores_ = std::make_unique<ServerCores>(server_loops, options);
    EXPECT_TRUE(cores_->Listen({net::SocketAddress::LoopbackV4(0)}).ok());
    address_ = cores_->addresses().front();
    for (const auto& loop : loops_) {
      threads_.push_back(env_.StartThread("loop", [&loop] { loop->Run(); }));
    }
  }

  void Stop() {
    loops_[0]->Post([this] { cores_->Shutdown([](net::EventLoop* loop) { loop->Stop(); }); });
    threads_.clear();
  }

  RawPeer Connect() { return RawPeer(env_, address_); }
  RawPeer Client() {
    RawPeer peer = Connect();
    peer.Say(protocol::Greeting(protocol::Dialect::kModern));
    return peer;
  }
  const WatchedSyscalls& syscalls() const { return syscalls_; }
  ServerStats stats() const { return cores_->stats(); }

 private:
  net::Env& env_ = net::RealEnv();
  WatchedSyscalls syscalls_;
  std::vector<std::unique_ptr<net::EventLoop>> loops_;
  SharedEngine engine_;
  std::unique_ptr<ServerCores> cores_;
  net::SocketAddress address_;
  std::vector<std::unique_ptr<net::Thread>> threads_;
};

TEST(SharedEngineLockTest, NoSystemCallIsMadeUnderTheLock) {
  ServerOptions options;
  options.unsent_bytes_soft_max = 64 << 10;
  options.unsent_bytes_hard_max = 3 << 20;
  WatchedServer server(options);
  {
    std::vector<RawPeer> clients;
    for (int i = 0; i < 12; ++i) clients.push_back(server.Client());
    RawPeer watcher = server.Connect();
    watcher.Say(ServerScenario::LegacyRequest(R"(watch_key "/big")"));
    EXPECT_EQ(watcher.Hear(1), ServerScenario::Reply("signal 3"));
    // Who waits is woken from another loop; some are gone before.
    for (int i = 1; i < 12; ++i) ServerScenario::BeginWait(clients[i], "/go");
    for (int i = 0; i < 2; ++i) clients.pop_back();
    clients[0].Say(ServerScenario::SetRequest("/go", ""));
    for (size_t i = 1; i < clients.size(); ++i) {
      EXPECT_EQ(clients[i].Hear(1), ServerScenario::Reply("signal 0"));
    }
    // More than is gathered for one write, more than one reads at once, and a watcher that takes
    // nothing of it.
    const std::string big(1 << 20, 'b');
    const std::string reply = ServerScenario::Reply(absl::StrCat("bytes \"", big, "\""));
    for (size_t i = 0; i < clients.size(); ++i) {
      clients[i].Say(ServerScenario::SetRequest("/big", big) +
                     ServerScenario::Repeated(ServerScenario::Request(R"(get "/big")"), 4));
    }
    for (RawPeer& client : clients) {
      for (int i = 0; i < 4; ++i) EXPECT_TRUE(client.Hear(reply.size()) == reply);
    }
    // Whom the engine hangs up on, and who says nonsense.
    RawPeer legacy = server.Connect();
    legacy.Say(ServerScenario::LegacyRequest(R"(get "/none")"));
    EXPECT_EQ(legacy.HearToTheEnd(), "");
    RawPeer stranger = server.Connect();
    stranger.Say("GET / HTTP/1.1\r\n\r\n");
    EXPECT_EQ(stranger.HearToTheEnd(), "");
    EXPECT_GE(server.stats().connections_refused, 2u);
  }
  server.Stop();
  EXPECT_GT(server.syscalls().calls(), 100);
  EXPECT_EQ(server.syscalls().calls_under_the_lock(), 0);
}

}  // namespace
}  // namespace rollcall
