// A store server behind a fault proxy, on the real loopback or in a world of its own.
#ifndef ROLLCALL_FAULT_INJECTION_PROXY_FAULT_PROXY_FIXTURE_H_
#define ROLLCALL_FAULT_INJECTION_PROXY_FAULT_PROXY_FIXTURE_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "fault_injection/proxy/fault_proxy.h"
#include "fault_injection/sim_env.h"
#include "fault_injection/sim_net.h"
#include "fault_injection/world.h"
#include "gtest/gtest.h"
#include "net/address.h"
#include "net/connection.h"
#include "net/env.h"
#include "net/net_error.h"
#include "net/real_env.h"
#include "net/syscalls.h"
#include "store/server/server_options.h"
#include "store/server/store_server.h"
#include "store/tcp_store.h"

namespace rollcall::fault {

enum class Rung { kSimulated, kReal };

class FaultProxyTest : public testing::TestWithParam<Rung> {
 protected:
  // What a test waits for that is to come; it would rather fail than hang.
  static constexpr absl::Duration kLong = absl::Seconds(20);
  // A time-out that is to be reached.
  static constexpr absl::Duration kShort = absl::Milliseconds(60);

  FaultProxyTest() {
    if (is_simulated()) sim_.emplace();
    env_ = is_simulated() ? static_cast<net::Env*>(&sim_->env) : &net::RealEnv();
    syscalls_ = is_simulated() ? static_cast<net::Syscalls*>(&sim_->kernel) : &net::RealSyscalls();
  }
  // Whoever has not ended shows in what is left open.
  ~FaultProxyTest() override {
    proxy_.reset();
    server_.reset();
    listening_.reset();
    if (is_simulated()) {
      EXPECT_EQ(sim_->kernel.usage().descriptors, 0) << sim_->net.Sockets();
    }
  }

  static bool is_simulated() { return GetParam() == Rung::kSimulated; }
  absl::Time Now() { return env_->Now(); }

  // Since `begin`: exactly that in virtual time, at least that in real time.
  void ExpectTook(absl::Time begin, absl::Duration expected) {
    const absl::Duration elapsed = Now() - begin;
    if (is_simulated()) {
      EXPECT_EQ(elapsed, expected);
    } else {
      EXPECT_GE(elapsed, expected);
    }
  }

  void StartServer(uint16_t port = 0) {
    ServerOptions options;
    options.host = "127.0.0.1";
    options.port = port;
    server_ = StoreServer::Start(*env_, options).value();
  }
  Route RouteTo(uint16_t server_port, std::string name = "w") {
    Route route;
    route.name = std::move(name);
    route.target = {.host = "127.0.0.1", .port = server_port};
    return route;
  }
  void StartProxy(const std::vector<Route>& routes) {
    proxy_ = FaultProxy::Start(*env_, syscalls_, routes).value();
  }
  // A server, and a proxy with the one route "w" to it.
  void StartBoth() {
    StartServer();
    StartProxy({RouteTo(server_->port())});
  }

  TcpStoreOptions OptionsOf(uint16_t port, absl::Duration timeout) {
    TcpStoreOptions options;
    options.host = "127.0.0.1";
    options.port = port;
    options.timeout = timeout;
    return options;
  }
  std::unique_ptr<TcpStore> NewClient(absl::Duration timeout = kLong) {
    return std::make_unique<TcpStore>(*env_, OptionsOf(proxy_->port("w"), timeout));
  }
  // Past the proxy.
  std::unique_ptr<TcpStore> NewDirectClient() {
    return std::make_unique<TcpStore>(*env_, OptionsOf(server_->port(), kLong));
  }
  // A connection through a new proxy, as both ends see it.
  struct Ends {
    std::unique_ptr<net::Connection> client;
    std::unique_ptr<net::Connection> server;
  };
  Ends ConnectAcross() {
    listening_ = env_->Listen({.host = "127.0.0.1", .port = 0}).value();
    StartProxy({RouteTo(listening_->address().port())});
    Ends ends;
    ends.client = Connect(proxy_->port("w"));
    ends.server = listening_->Accept(Now() + kLong).value();
    return ends;
  }
  std::unique_ptr<net::Connection> Connect(uint16_t port) {
    const std::vector<net::SocketAddress> to = {net::SocketAddress::LoopbackV4(port)};
    return env_->ConnectAny(to, Now() + kLong).value();
  }
  // Exactly so many bytes; fewer if the stream ends before.
  std::string Read(net::Connection& connection, size_t size_bytes) {
    std::string read(size_bytes, '\0');
    size_t filled = 0;
    while (filled < size_bytes) {
      const absl::StatusOr<size_t> got =
          connection.Read(&read[filled], size_bytes - filled, Now() + kLong);
      if (!got.ok()) break;
      filled += *got;
    }
    return read.substr(0, filled);
  }
  // How the stream ends, when nothing more is to come.
  net::NetErrorKind EndOf(net::Connection& connection) {
    char byte;
    const absl::StatusOr<size_t> got = connection.Read(&byte, 1, Now() + kLong);
    return got.ok() ? net::NetErrorKind::kUnknown : net::GetNetErrorInfo(got.status())->kind;
  }

  std::unique_ptr<net::Thread> Start(std::function<void()> body) {
    return env_->StartThread("test", std::move(body));
  }
  void Until(const std::function<bool()>& condition) {
    const absl::Time deadline = Now() + kLong;
    while (!condition()) {
      ASSERT_LT(Now(), deadline);
      env_->SleepUntil(Now() + absl::Milliseconds(1));
    }
  }

  net::Env* env_;
  net::Syscalls* syscalls_;
  std::unique_ptr<StoreServer> server_;
  std::unique_ptr<FaultProxy> proxy_;
  std::unique_ptr<net::ListeningSocket> listening_;  // Of ConnectAcross.

 private:
  // One machine, one process. Its loopback takes no time, so that what is added shows exactly.
  struct Simulation {
    Simulation()
        : net(&world, {.loopback_latency = absl::ZeroDuration()}),
          kernel(net.AddHost("m", {"10.0.0.1"})),
          env(&world, &kernel, SimProcess{.host = "m"}),
          test(&world, "test") {}

    World world;
    SimNet net;
    SimKernel& kernel;
    SimEnv env;
    CallerFiber test;
  };

  std::optional<Simulation> sim_;
};

inline std::string RungName(const testing::TestParamInfo<Rung>& info) {
  return info.param == Rung::kSimulated ? "Simulated" : "Real";
}

}  // namespace rollcall::fault

#endif  // ROLLCALL_FAULT_INJECTION_PROXY_FAULT_PROXY_FIXTURE_H_
