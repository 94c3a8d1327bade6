// Two hosts in a simulated network, and tests that make system calls on them.
#ifndef ROLLCALL_FAULT_INJECTION_SIM_NET_FIXTURE_H_
#define ROLLCALL_FAULT_INJECTION_SIM_NET_FIXTURE_H_

#include <sys/socket.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "fault_injection/sim_kernel.h"
#include "fault_injection/sim_net.h"
#include "fault_injection/sim_net_options.h"
#include "fault_injection/world.h"
#include "gtest/gtest.h"
#include "net/address.h"

namespace rollcall::fault {

inline constexpr uint16_t kPort = 29500;
inline constexpr absl::Duration kLatency = absl::Microseconds(50);
inline constexpr char kServerAddress[] = "10.0.0.1";

// Two hosts, "server" (10.0.0.1) and "w0" (10.0.0.2), 50 us apart.
class SimNetTest : public testing::Test {
 protected:
  void SetUp() override { Restart({}); }

  void Restart(SimNetOptions options, uint64_t seed = 1) {
    if (world_ != nullptr) world_->KillAll();
    net_.reset();
    WorldOptions world_options;
    world_options.seed = seed;
    world_ = std::make_unique<World>(world_options);
    net_ = std::make_unique<SimNet>(world_.get(), options);
    server_ = &net_->AddHost("server", {kServerAddress, "fd00::1"});
    w0_ = &net_->AddHost("w0", {"10.0.0.2", "fd00::2"});
  }

  void TearDown() override { world_->KillAll(); }

  World& world() { return *world_; }
  SimNet& net() { return *net_; }
  SimKernel& server() { return *server_; }
  SimKernel& w0() { return *w0_; }

  void On(const std::string& actor, std::function<void()> body) {
    world_->Spawn(actor, std::move(body));
  }
  void Run() {
    const absl::Status ran = world_->Run();
    EXPECT_TRUE(ran.ok()) << ran << "\n" << net_->Sockets();
  }
  void At(absl::Duration elapsed, std::function<void()> work) {
    world_->At(world_->options().start + elapsed, "test", std::move(work));
  }
  void SleepUntil(absl::Duration elapsed) {
    const absl::Time end = world_->options().start + elapsed;
    while (world_->Now() < end) world_->Block(end, "sleep");
  }
  absl::Duration elapsed() { return world_->elapsed(); }

  static net::SocketAddress Address(absl::string_view host, uint16_t port) {
    return net::SocketAddress::FromNumeric(host, port).value();
  }
  static int ListenOn(SimKernel& kernel, int backlog = 16) {
    const int fd = kernel.Socket(AF_INET, SOCK_STREAM, 0);
    const net::SocketAddress address = Address("0.0.0.0", kPort);
    EXPECT_EQ(kernel.Bind(fd, address.data(), address.size_bytes()), 0);
    EXPECT_EQ(kernel.Listen(fd, backlog), 0);
    return fd;
  }
  static int Accept(SimKernel& kernel, int listener) {
    return kernel.Accept4(listener, nullptr, nullptr, 0);
  }
  static int Connect(SimKernel& kernel, int fd, absl::string_view host = kServerAddress,
                     uint16_t port = kPort) {
    const net::SocketAddress address = Address(host, port);
    return kernel.Connect(fd, address.data(), address.size_bytes());
  }
  static int NewSocket(SimKernel& kernel) { return kernel.Socket(AF_INET, SOCK_STREAM, 0); }
  static void SetInt(SimKernel& kernel, int fd, int level, int name, int value) {
    EXPECT_EQ(kernel.SetSockOpt(fd, level, name, &value, sizeof(value)), 0);
  }
  static ssize_t Send(SimKernel& kernel, int fd, absl::string_view bytes) {
    return kernel.Send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
  }
  static std::string Recv(SimKernel& kernel, int fd, size_t size_bytes = 100) {
    std::string buffer(size_bytes, '\0');
    const ssize_t result = kernel.Recv(fd, &buffer[0], size_bytes, 0);
    return result < 0 ? "-" + std::to_string(-result) : buffer.substr(0, result);
  }
  static std::string Errno(int value) { return "-" + std::to_string(value); }

  // A server that accepts one connection and keeps it, and a client that has it; then `client`.
  void Connected(
      std::function<void(int fd)> client, std::function<void(int fd)> served = [](int) {}) {
    On("server", [this, served] {
      const int listener = ListenOn(server());
      const int fd = Accept(server(), listener);
      EXPECT_GE(fd, 0);
      served(fd);
    });
    On("w0", [this, client] {
      SleepUntil(absl::Milliseconds(1));
      const int fd = NewSocket(w0());
      ASSERT_EQ(Connect(w0(), fd), 0);
      client(fd);
    });
  }

 private:
  std::unique_ptr<World> world_;
  std::unique_ptr<SimNet> net_;
  SimKernel* server_ = nullptr;
  SimKernel* w0_ = nullptr;
};

}  // namespace rollcall::fault

#endif  // ROLLCALL_FAULT_INJECTION_SIM_NET_FIXTURE_H_
