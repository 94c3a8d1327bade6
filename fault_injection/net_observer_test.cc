// What an observer of the simulated network is told, beyond what everybody can see.
#include "fault_injection/net_observer.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>

#include <functional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "fault_injection/fault_point.h"
#include "fault_injection/sim_kernel.h"
#include "fault_injection/sim_net.h"
#include "fault_injection/world.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "net/address.h"

namespace rollcall::fault {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::Not;

constexpr uint16_t kPort = 29500;

// "w0 -> server DATA 5 at 50us", "w0 -> server SYN 0 lost", "fault crash server".
class Notes final : public NetObserver {
 public:
  explicit Notes(absl::Time start) : start_(start) {}

  void OnPacket(const NetPacket& packet) override {
    EXPECT_LE(packet.sent, packet.ended);
    lines.push_back(absl::StrCat(
        packet.from, " -> ", packet.to, " ", PacketKindName(packet.kind), " ",
        packet.payload.size(),
        packet.is_lost ? " lost"
                       : absl::StrCat(" at ", absl::FormatDuration(packet.ended - start_))));
  }
  void OnFault(const NetFault& fault) override {
    lines.push_back(absl::StrCat("fault ", fault.text));
  }

  std::vector<std::string> lines;

 private:
  const absl::Time start_;
};

// "server" and "w0", 50 us apart.
class NetObserverTest : public testing::Test {
 protected:
  NetObserverTest()
      : net_(&world_),
        server_(net_.AddHost("server", {"10.0.0.1"})),
        w0_(net_.AddHost("w0", {"10.0.0.2"})),
        notes_(world_.Now()) {
    net_.SetObserver(&notes_);
  }
  ~NetObserverTest() override { world_.KillAll(); }

  void On(const std::string& actor, std::function<void()> body) {
    world_.Spawn(actor, std::move(body));
  }
  void At(absl::Duration elapsed, std::function<void()> work) {
    world_.At(world_.options().start + elapsed, "test", std::move(work));
  }
  void Run() { EXPECT_EQ(world_.Run(), absl::OkStatus()); }
  void SleepUntil(absl::Duration elapsed) {
    const absl::Time end = world_.options().start + elapsed;
    while (world_.Now() < end) world_.Block(end, "sleep");
  }

  int Listen(int backlog = 16) {
    const int fd = server_.Socket(AF_INET, SOCK_STREAM, 0);
    const net::SocketAddress any = net::SocketAddress::FromNumeric("0.0.0.0", kPort).value();
    EXPECT_EQ(server_.Bind(fd, any.data(), any.size_bytes()), 0);
    EXPECT_EQ(server_.Listen(fd, backlog), 0);
    return fd;
  }
  int Connect(int* result, int type = SOCK_STREAM) {
    const int fd = w0_.Socket(AF_INET, type, 0);
    const net::SocketAddress to = net::SocketAddress::FromNumeric("10.0.0.1", kPort).value();
    *result = w0_.Connect(fd, to.data(), to.size_bytes());
    return fd;
  }
  // Both ends, connected after 100 us; `body` goes on on w0.
  void Connected(std::function<void(int fd)> body) {
    On("server", [this] {
      const int fd = Listen();
      EXPECT_GE(server_.Accept4(fd, nullptr, nullptr, 0), 0);
    });
    On("w0", [this, body = std::move(body)] {
      SleepUntil(absl::Milliseconds(1));
      int result = 0;
      const int fd = Connect(&result);
      EXPECT_EQ(result, 0);
      SleepUntil(absl::Milliseconds(2));
      notes_.lines.clear();
      body(fd);
    });
  }

  World world_;
  SimNet net_;
  SimKernel& server_;
  SimKernel& w0_;
  Notes notes_;
};

TEST_F(NetObserverTest, PacketsAreToldWhenTheyArrive) {
  Connected([&](int fd) {
    EXPECT_EQ(w0_.Send(fd, "hello", 5, 0), 5);
    SleepUntil(absl::Milliseconds(3));
    EXPECT_THAT(notes_.lines, ElementsAre("w0 -> server DATA 5 at 2.05ms"));
  });
  Run();
}

TEST_F(NetObserverTest, ARefusalIsAReset) {
  On("w0", [&] {
    int result = 0;
    Connect(&result);
    EXPECT_EQ(result, -ECONNREFUSED);
    EXPECT_THAT(notes_.lines,
                ElementsAre("w0 -> server SYN 0 at 50us", "server -> w0 RST 0 at 100us"));
  });
  Run();
}

TEST_F(NetObserverTest, WhatACutLosesIsToldEachTimeThatItIsRepeated) {
  Connected([&](int fd) {
    EXPECT_EQ(w0_.Send(fd, "hello", 5, 0), 5);
    net_.Cut("w0", "server");
    EXPECT_EQ(w0_.Send(fd, "more", 4, 0), 4);
    SleepUntil(absl::Milliseconds(500));
    net_.Heal("w0", "server");
    SleepUntil(absl::Seconds(2));
    const std::string lost = "w0 -> server DATA 5 lost";
    // The second before it left, the first where it should have arrived; then the first again after
    // 200 ms, and both pass 400 ms later.
    EXPECT_THAT(notes_.lines,
                ElementsAre("fault cut w0 -> server", "w0 -> server DATA 4 lost", lost, lost,
                            "fault heal w0 -> server", "w0 -> server DATA 5 at 602.35ms",
                            "w0 -> server DATA 4 at 602.35ms"));
  });
  Run();
}

TEST_F(NetObserverTest, ACrashLosesWhatTheHostHasOnTheWay) {
  Connected([&](int fd) {
    EXPECT_EQ(w0_.Send(fd, "hello", 5, 0), 5);
    At(world_.elapsed() + absl::Microseconds(10), [&] { net_.CrashHost("w0"); });
    SleepUntil(absl::Milliseconds(3));
    EXPECT_THAT(notes_.lines, ElementsAre("fault crash w0", "w0 -> server DATA 5 lost"));
  });
  Run();
}

TEST_F(NetObserverTest, ProbesOfASilentPathAreTold) {
  Connected([&](int fd) {
    const int on = 1;
    const int idle_s = 10;
    EXPECT_EQ(w0_.SetSockOpt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on), 0);
    EXPECT_EQ(w0_.SetSockOpt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle_s, sizeof idle_s), 0);
    net_.Cut("w0", "server");
    SleepUntil(absl::Seconds(15));
    EXPECT_THAT(notes_.lines, ElementsAre("fault cut w0 -> server", "w0 -> server PROBE 0 lost"));
  });
  Run();
}

TEST_F(NetObserverTest, AFullAcceptQueueDropsWhatHasArrived) {
  On("server", [&] {
    Listen(/*backlog=*/0);
    SleepUntil(absl::Milliseconds(10));
  });
  On("w0", [&] {
    SleepUntil(absl::Milliseconds(1));
    int result = 0;
    Connect(&result);  // Takes the one place.
    EXPECT_EQ(result, 0);
    Connect(&result, SOCK_STREAM | SOCK_NONBLOCK);
    EXPECT_EQ(result, -EINPROGRESS);
    SleepUntil(absl::Milliseconds(2));
    EXPECT_EQ(notes_.lines.back(), "fault accept queue of server is full");
  });
  Run();
}

TEST_F(NetObserverTest, AnInjectedFaultOfACallIsTold) {
  class FailConnect final : public FaultInjector {
   public:
    CallFault OnCall(const CallSite& site) override {
      return site.call == "connect" ? CallFault{.errno_value = ENETUNREACH} : CallFault{};
    }
  };
  FailConnect injector;
  net_.SetInjector(&injector);
  On("w0", [&] {
    int result = 0;
    Connect(&result);
    EXPECT_EQ(result, -ENETUNREACH);
    EXPECT_THAT(notes_.lines, ElementsAre("fault w0: connect fails: ENETUNREACH"));
  });
  Run();
}

TEST_F(NetObserverTest, NobodyIsToldAfterTheEnd) {
  Connected([&](int fd) {
    net_.SetObserver(nullptr);
    EXPECT_EQ(w0_.Send(fd, "hello", 5, 0), 5);
    SleepUntil(absl::Milliseconds(3));
    EXPECT_THAT(notes_.lines, testing::IsEmpty());
  });
  Run();
}

}  // namespace
}  // namespace rollcall::fault
