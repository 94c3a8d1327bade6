// The simulated network in virtual time: what the network twin cannot ask a real kernel, because it
// takes minutes or a peer that is gone; faults; and the network code of production on top.
#include "fault_injection/sim_net.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "fault_injection/fault_point.h"
#include "fault_injection/legal_errnos.h"
#include "fault_injection/sim_kernel.h"
#include "fault_injection/sim_net_options.h"
#include "fault_injection/world.h"
#include "gtest/gtest.h"
#include "net/address.h"

namespace rollcall::fault {
namespace {

constexpr uint16_t kPort = 29500;
constexpr absl::Duration kLatency = absl::Microseconds(50);
constexpr char kServerAddress[] = "10.0.0.1";

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

// --- Time ---

TEST_F(SimNetTest, EveryPacketTakesTheLatency) {
  Connected(
      [&](int fd) {
        EXPECT_EQ(elapsed(), absl::Milliseconds(1) + 2 * kLatency);
        EXPECT_EQ(Send(w0(), fd, "ping"), 4);
        EXPECT_EQ(Recv(w0(), fd), "pong");
        EXPECT_EQ(elapsed(), absl::Milliseconds(1) + 4 * kLatency);
      },
      [&](int fd) {
        EXPECT_EQ(Recv(server(), fd), "ping");
        EXPECT_EQ(Send(server(), fd, "pong"), 4);
      });
  Run();
}

TEST_F(SimNetTest, LatencyIsOfOneDirection) {
  net().SetLatency("w0", "server", absl::Milliseconds(300));
  Connected([&](int) { EXPECT_EQ(elapsed(), absl::Milliseconds(301) + kLatency); });
  Run();
}

TEST_F(SimNetTest, ARateIsKept) {
  net().SetRate("w0", "server", 1'000'000);
  const std::string megabyte(1'000'000, 'x');
  Connected([&](int fd) { EXPECT_EQ(Send(w0(), fd, megabyte), 1'000'000); },
            [&](int fd) {
              size_t received = 0;
              while (received < megabyte.size()) received += Recv(server(), fd, 1 << 20).size();
              EXPECT_EQ(elapsed(), absl::Milliseconds(1001) + 3 * kLatency);
            });
  Run();
}

// --- Connections that do not come about ---

TEST_F(SimNetTest, ABlackHoleIsGivenUpAfter127Seconds) {
  net().Cut("w0", "server");
  On("w0", [&] {
    EXPECT_EQ(Connect(w0(), NewSocket(w0())), -ETIMEDOUT);
    EXPECT_EQ(elapsed(), absl::Seconds(127));
  });
  Run();
}

TEST_F(SimNetTest, AnswersThatAreLostAreABlackHoleToo) {
  net().Cut("server", "w0");
  On("server", [&] { ListenOn(server()); });
  On("w0", [&] {
    SleepUntil(absl::Milliseconds(1));
    EXPECT_EQ(Connect(w0(), NewSocket(w0())), -ETIMEDOUT);
    EXPECT_EQ(elapsed(), absl::Seconds(127) + absl::Milliseconds(1));
  });
  Run();
}

TEST_F(SimNetTest, NewerKernelsRepeatTheFirstSynsEachSecond) {
  net().options_of("w0").syn_linear_timeouts = 4;
  net().BlackHole("server");
  On("w0", [&] {
    EXPECT_EQ(Connect(w0(), NewSocket(w0())), -ETIMEDOUT);
    EXPECT_EQ(elapsed(), absl::Seconds(131));
  });
  Run();
}

TEST_F(SimNetTest, AServerThatIsMissingRefusesAfterARoundTrip) {
  On("w0", [&] {
    EXPECT_EQ(Connect(w0(), NewSocket(w0())), -ECONNREFUSED);
    EXPECT_EQ(elapsed(), 2 * kLatency);
  });
  Run();
}

TEST_F(SimNetTest, AFirewallRefusesOnePort) {
  net().Refuse("server", kPort);
  On("server", [&] { ListenOn(server()); });
  On("w0", [&] {
    SleepUntil(absl::Milliseconds(1));
    EXPECT_EQ(Connect(w0(), NewSocket(w0())), -ECONNREFUSED);
    net().HealHost("server");
    EXPECT_EQ(Connect(w0(), NewSocket(w0())), 0);
  });
  Run();
}

TEST_F(SimNetTest, UnreachableHosts) {
  SimKernel& lonely = net().AddHost("lonely", {"10.0.0.9"});
  net().Unreachable("w0", "server", EHOSTUNREACH);
  On("w0", [&] {
    EXPECT_EQ(Connect(w0(), NewSocket(w0())), -EHOSTUNREACH);
    EXPECT_EQ(elapsed(), kLatency);
    EXPECT_EQ(Connect(w0(), NewSocket(w0()), "10.0.0.77"), -EHOSTUNREACH);
    EXPECT_EQ(elapsed(), absl::Seconds(3) + kLatency);
    const int fd = lonely.Socket(AF_INET6, SOCK_STREAM, 0);
    EXPECT_EQ(Connect(lonely, fd, "fd00::1"), -ENETUNREACH);
  });
  Run();
}

TEST_F(SimNetTest, AHostWithoutIpv6HasNoSuchSockets) {
  SimHostOptions options;
  options.has_ipv6 = false;
  SimKernel& old = net().AddHost("old", {"10.0.0.8"}, options);
  On("old", [&] { EXPECT_EQ(old.Socket(AF_INET6, SOCK_STREAM, 0), -EAFNOSUPPORT); });
  Run();
}

TEST_F(SimNetTest, AFullBacklogDelaysUntilTheNextSyn) {
  On("server", [&] {
    const int listener = ListenOn(server(), 0);
    SleepUntil(absl::Milliseconds(500));
    EXPECT_GE(Accept(server(), listener), 0);
    EXPECT_GE(Accept(server(), listener), 0);
  });
  On("w0", [&] {
    SleepUntil(absl::Milliseconds(1));
    EXPECT_EQ(Connect(w0(), NewSocket(w0())), 0);
    SleepUntil(absl::Milliseconds(2));
    EXPECT_EQ(Connect(w0(), NewSocket(w0())), 0);
    EXPECT_EQ(elapsed(), absl::Milliseconds(1002) + 2 * kLatency);
  });
  Run();
}

TEST_F(SimNetTest, AnOverflowMayResetWhoBelievesToBeConnected) {
  net().options_of("server").abort_on_overflow = true;
  int resets = 0;
  On("server", [&] {
    const int listener = ListenOn(server(), 0);
    SleepUntil(absl::Seconds(1));
    server().Close(listener);
  });
  for (const char* name : {"w0/a", "w0/b"}) {
    On(name, [&] {
      SleepUntil(absl::Milliseconds(1));
      const int fd = NewSocket(w0());
      EXPECT_EQ(Connect(w0(), fd), 0);
      resets += Recv(w0(), fd) == Errno(ECONNRESET);
    });
  }
  At(absl::Milliseconds(500), [&] { EXPECT_EQ(resets, 1); });
  Run();
}

TEST_F(SimNetTest, LocalPortsRunOut) {
  SimHostOptions options;
  options.ephemeral_first = 40000;
  options.ephemeral_last = 40001;
  SimKernel& small = net().AddHost("small", {"10.0.0.7"}, options);
  On("server", [&] { ListenOn(server()); });
  On("small", [&] {
    SleepUntil(absl::Milliseconds(1));
    EXPECT_EQ(Connect(small, NewSocket(small)), 0);
    EXPECT_EQ(Connect(small, NewSocket(small)), 0);
    EXPECT_EQ(Connect(small, NewSocket(small)), -EADDRNOTAVAIL);
    // Elsewhere, the same ports do.
    EXPECT_EQ(Connect(small, NewSocket(small), kServerAddress, 1), -ECONNREFUSED);
  });
  Run();
}

TEST_F(SimNetTest, ASocketMayMeetItself) {
  SimHostOptions options;
  options.ephemeral_first = options.ephemeral_last = kPort;
  SimKernel& odd = net().AddHost("odd", {"10.0.0.6"}, options);
  On("odd", [&] {
    const int fd = NewSocket(odd);
    EXPECT_EQ(Connect(odd, fd, "127.0.0.1"), 0);
    EXPECT_EQ(Send(odd, fd, "me"), 2);
    EXPECT_EQ(Recv(odd, fd), "me");
    EXPECT_EQ(odd.Close(fd), 0);
    SleepUntil(absl::Seconds(1));
  });
  Run();
  EXPECT_EQ(odd.usage().connections, 0);
}

// --- Connections that break ---

TEST_F(SimNetTest, WhatACutLosesIsRepeated) {
  Connected(
      [&](int fd) {
        net().Cut("w0", "server");
        EXPECT_EQ(Send(w0(), fd, "late"), 4);
      },
      [&](int fd) {
        EXPECT_EQ(Recv(server(), fd), "late");
        // Repeated after 200 ms and two latencies, and then after twice that again.
        EXPECT_GT(elapsed(), absl::Milliseconds(500));
        EXPECT_LT(elapsed(), absl::Milliseconds(800));
      });
  At(absl::Milliseconds(500), [&] { net().Heal("w0", "server"); });
  Run();
}

TEST_F(SimNetTest, WhatIsSentIntoACutComesAfterWhatWasOnTheWay) {
  Connected(
      [&](int fd) {
        EXPECT_EQ(Send(w0(), fd, "first "), 6);
        net().Cut("w0", "server");
        EXPECT_EQ(Send(w0(), fd, "second"), 6);
      },
      [&](int fd) {
        std::string received;
        while (received.size() < 12) received += Recv(server(), fd);
        EXPECT_EQ(received, "first second");
      });
  At(absl::Milliseconds(500), [&] { net().Heal("w0", "server"); });
  Run();
}

TEST_F(SimNetTest, WhatWasOnTheWayArrivesIfTheCutIsOverByThen) {
  Connected(
      [&](int fd) {
        EXPECT_EQ(Send(w0(), fd, "first "), 6);
        net().Cut("w0", "server");
        EXPECT_EQ(Send(w0(), fd, "second"), 6);
        net().Heal("w0", "server");
      },
      [&](int fd) {
        EXPECT_EQ(Recv(server(), fd), "first ");
        EXPECT_EQ(elapsed(), absl::Milliseconds(1) + 3 * kLatency);
        EXPECT_EQ(Recv(server(), fd), "second");
        EXPECT_GT(elapsed(), absl::Milliseconds(200));
      });
  Run();
}

TEST_F(SimNetTest, AResetThatACutLosesIsHeardOfByWhoSpeaks) {
  Connected(
      [&](int fd) {
        EXPECT_EQ(Send(w0(), fd, "unread"), 6);
        SleepUntil(absl::Seconds(1));
        pollfd nothing = {.fd = fd, .events = POLLIN, .revents = 0};
        EXPECT_EQ(w0().Poll(&nothing, 1, absl::ZeroDuration()), 0);
        EXPECT_EQ(Send(w0(), fd, "more"), 4);
        EXPECT_EQ(Recv(w0(), fd), Errno(ECONNRESET));
        EXPECT_EQ(elapsed(), absl::Seconds(1) + 2 * kLatency);
      },
      [&](int fd) {
        SleepUntil(absl::Milliseconds(10));
        net().Cut("server", "w0");
        EXPECT_EQ(Send(server(), fd, "lost"), 4);
        EXPECT_EQ(server().Close(fd), 0);
      });
  At(absl::Milliseconds(500), [&] { net().Heal("server", "w0"); });
  Run();
}

TEST_F(SimNetTest, WhoIsNotAcknowledgedHearsOfALostResetWhenTheCutHeals) {
  Connected(
      [&](int fd) {
        net().Cut("server", "w0");
        EXPECT_EQ(Send(w0(), fd, "unread"), 6);
        EXPECT_EQ(Recv(w0(), fd), Errno(ECONNRESET));
        EXPECT_GT(elapsed(), absl::Milliseconds(500));
        EXPECT_LT(elapsed(), absl::Milliseconds(800));
      },
      [&](int fd) {
        SleepUntil(absl::Milliseconds(10));
        EXPECT_EQ(server().Close(fd), 0);
      });
  At(absl::Milliseconds(500), [&] { net().Heal("server", "w0"); });
  Run();
}

TEST_F(SimNetTest, TheUserTimeoutEndsRepeating) {
  Connected([&](int fd) {
    SetInt(w0(), fd, IPPROTO_TCP, TCP_USER_TIMEOUT, 60'000);
    SleepUntil(absl::Milliseconds(10));
    net().Cut("w0", "server");
    Send(w0(), fd, "lost");
    const absl::Duration start = elapsed();
    EXPECT_EQ(Recv(w0(), fd), Errno(ETIMEDOUT));
    // From the first repetition on.
    EXPECT_EQ(elapsed() - start, absl::Milliseconds(60'200) + 2 * kLatency);
  });
  Run();
}

TEST_F(SimNetTest, LostAnswersLookTheSame) {
  std::string heard;
  Connected(
      [&](int fd) {
        SetInt(w0(), fd, IPPROTO_TCP, TCP_USER_TIMEOUT, 5'000);
        net().Cut("server", "w0");
        Send(w0(), fd, "arrives");
        EXPECT_EQ(Recv(w0(), fd), Errno(ETIMEDOUT));
      },
      [&](int fd) { heard = Recv(server(), fd); });
  Run();
  EXPECT_EQ(heard, "arrives");
}

TEST_F(SimNetTest, KeepAliveNoticesAPeerThatIsGone) {
  Connected([&](int fd) {
    SetInt(w0(), fd, SOL_SOCKET, SO_KEEPALIVE, 1);
    SetInt(w0(), fd, IPPROTO_TCP, TCP_KEEPIDLE, 20);
    SetInt(w0(), fd, IPPROTO_TCP, TCP_KEEPINTVL, 10);
    SetInt(w0(), fd, IPPROTO_TCP, TCP_KEEPCNT, 4);
    const absl::Duration heard = elapsed();
    SleepUntil(heard + absl::Seconds(45));
    net().CrashHost("server");
    EXPECT_EQ(Recv(w0(), fd), Errno(ETIMEDOUT));
    // Asked at 20 and 40 with success; at 60, 70, 80 and 90 in vain.
    EXPECT_EQ(elapsed() - heard, absl::Seconds(100));
  });
  Run();
}

TEST_F(SimNetTest, AMachineThatComesBackAnswersWithAReset) {
  Connected([&](int fd) {
    net().CrashHost("server");
    world().Kill("server");
    SleepUntil(absl::Seconds(1));
    net().RestartHost("server");
    EXPECT_EQ(Send(w0(), fd, "x"), 1);
    EXPECT_EQ(Recv(w0(), fd), Errno(ECONNRESET));
    EXPECT_EQ(elapsed(), absl::Seconds(1) + 2 * kLatency);
    EXPECT_EQ(Connect(w0(), NewSocket(w0())), -ECONNREFUSED);
  });
  Run();
  EXPECT_EQ(server().usage().descriptors, 0);
}

TEST_F(SimNetTest, AProcessThatIsKilledSaysGoodbye) {
  Connected(
      [&](int fd) {
        SleepUntil(absl::Milliseconds(10));
        net().ExitProcess("server");
        world().Kill("server");
        EXPECT_EQ(Recv(w0(), fd), "");
      },
      [&](int) { SleepUntil(absl::Seconds(100)); });
  Run();
}

TEST_F(SimNetTest, AProcessThatIsKilledWithUnreadBytesResets) {
  Connected(
      [&](int fd) {
        Send(w0(), fd, "unread");
        SleepUntil(absl::Milliseconds(10));
        net().ExitProcess("server");
        world().Kill("server");
        EXPECT_EQ(Recv(w0(), fd), Errno(ECONNRESET));
      },
      [&](int) { SleepUntil(absl::Seconds(100)); });
  Run();
}

TEST_F(SimNetTest, TheDeadMakeNoCalls) {
  bool did_more = false;
  Connected(
      [&](int) {
        SleepUntil(absl::Milliseconds(10));
        net().CrashHost("server");
        SleepUntil(absl::Seconds(1));
        world().Kill("server");
      },
      [&](int fd) {
        Recv(server(), fd);
        did_more = true;
      });
  Run();
  EXPECT_FALSE(did_more);
}

TEST_F(SimNetTest, ConnectionsAreResetAtBothEnds) {
  Connected(
      [&](int fd) {
        At(absl::Milliseconds(10), [&] { net().ResetConnections("w0"); });
        EXPECT_EQ(Recv(w0(), fd), Errno(ECONNRESET));
      },
      [&](int fd) { EXPECT_EQ(Recv(server(), fd), Errno(ECONNRESET)); });
  Run();
}

TEST_F(SimNetTest, AReaderThatNeverReadsIsGivenUp) {
  Connected(
      [&](int fd) {
        SetInt(w0(), fd, IPPROTO_TCP, TCP_USER_TIMEOUT, 30'000);
        const std::string block(16 << 20, 'x');
        EXPECT_LT(Send(w0(), fd, block), static_cast<ssize_t>(block.size()));
        EXPECT_GT(elapsed(), absl::Seconds(30));
      },
      [&](int) { SleepUntil(absl::Seconds(100)); });
  Run();
}

TEST_F(SimNetTest, ShutdownWakesWhoeverIsBlocked) {
  Connected(
      [&](int fd) {
        On("w0/other", [this, fd] {
          SleepUntil(absl::Milliseconds(20));
          EXPECT_EQ(w0().Shutdown(fd, SHUT_RDWR), 0);
        });
        EXPECT_EQ(Recv(w0(), fd), "");
        EXPECT_EQ(elapsed(), absl::Milliseconds(20));
      },
      [&](int fd) { EXPECT_EQ(Recv(server(), fd), ""); });
  Run();
}

TEST_F(SimNetTest, ShutdownOfAListenerWakesItsAccept) {
  On("server", [&] {
    const int listener = ListenOn(server());
    On("server/other", [this, listener] {
      SleepUntil(absl::Milliseconds(20));
      EXPECT_EQ(server().Shutdown(listener, SHUT_RDWR), 0);
    });
    EXPECT_EQ(Accept(server(), listener), -EINVAL);
  });
  Run();
}

TEST_F(SimNetTest, ClosingEverythingLeavesNothing) {
  Connected(
      [&](int fd) {
        Send(w0(), fd, "bytes");
        w0().Close(fd);
        SleepUntil(absl::Minutes(2));
      },
      [&](int fd) {
        while (!Recv(server(), fd).empty()) {
        }
        server().Close(fd);
      });
  Run();
  EXPECT_EQ(w0().usage().connections + server().usage().connections, 0);
  EXPECT_EQ(w0().usage().buffered_bytes + server().usage().buffered_bytes, 0u);
  EXPECT_EQ(w0().usage().descriptors, 0);
}

TEST_F(SimNetTest, TimeWaitEnds) {
  On("server", [&] {
    const net::SocketAddress address = Address("0.0.0.0", kPort);
    const int listener = ListenOn(server());
    server().Close(Accept(server(), listener));
    server().Close(listener);
    SleepUntil(absl::Seconds(1));
    const int fd = NewSocket(server());
    EXPECT_EQ(server().Bind(fd, address.data(), address.size_bytes()), -EADDRINUSE);
    SleepUntil(absl::Seconds(62));
    EXPECT_EQ(server().Bind(fd, address.data(), address.size_bytes()), 0);
  });
  On("w0", [&] {
    SleepUntil(absl::Milliseconds(1));
    const int fd = NewSocket(w0());
    EXPECT_EQ(Connect(w0(), fd), 0);
    EXPECT_EQ(Recv(w0(), fd), "");
    w0().Close(fd);
  });
  Run();
}

// --- Names ---

TEST_F(SimNetTest, TheHostTableAnswers) {
  On("w0", [&] {
    addrinfo* list = nullptr;
    EXPECT_EQ(w0().GetAddrInfo("nobody", nullptr, nullptr, &list), EAI_NONAME);
    net().names().Fail("server", EAI_AGAIN, 2);
    EXPECT_EQ(w0().GetAddrInfo("Server", nullptr, nullptr, &list), EAI_AGAIN);
    EXPECT_EQ(w0().GetAddrInfo("server", nullptr, nullptr, &list), EAI_AGAIN);
    net().names().Delay("server", absl::Seconds(7));
    ASSERT_EQ(w0().GetAddrInfo("server", "80", nullptr, &list), 0);
    EXPECT_EQ(elapsed(), absl::Seconds(7));
    EXPECT_EQ(net::SocketAddress(list->ai_addr, list->ai_addrlen).ToString(), "10.0.0.1:80");
    ASSERT_NE(list->ai_next, nullptr);
    EXPECT_EQ(net::SocketAddress(list->ai_next->ai_addr, list->ai_next->ai_addrlen).ToString(),
              "[fd00::1]:80");
    w0().FreeAddrInfo(list);
  });
  Run();
}

// --- Faults of calls ---

class Script final : public FaultInjector {
 public:
  CallFault OnCall(const CallSite& site) override {
    const std::string key = std::string(site.host.data(), site.host.size()) + "/" +
                            std::string(site.call.data(), site.call.size()) + "#" +
                            std::to_string(site.occurrence);
    EXPECT_FALSE(site.legal_errnos.empty()) << key;
    const auto found = faults.find(key);
    return found == faults.end() ? CallFault{} : found->second;
  }
  std::map<std::string, CallFault> faults;
};

TEST_F(SimNetTest, ChosenCallsFailAreShortenedOrHeldUp) {
  Script script;
  CallFault held_up;
  held_up.delay = absl::Seconds(2);
  CallFault shortened;
  shortened.transfer_bytes_max = 3;
  script.faults = {{"w0/socket#1", {.errno_value = EMFILE}},
                   {"w0/connect#1", {.errno_value = EINTR}},
                   {"w0/send#1", shortened},
                   {"w0/send#2", held_up},
                   {"server/recv#1", {.errno_value = EINTR}}};
  net().SetInjector(&script);
  On("server", [&] {
    const int fd = Accept(server(), ListenOn(server()));
    EXPECT_EQ(Recv(server(), fd), Errno(EINTR));
    EXPECT_EQ(Recv(server(), fd), "abc");
    EXPECT_EQ(Recv(server(), fd), "def");
  });
  On("w0", [&] {
    SleepUntil(absl::Seconds(1));
    EXPECT_EQ(NewSocket(w0()), -EMFILE);
    const int fd = NewSocket(w0());
    // Interrupted, it goes on by itself.
    EXPECT_EQ(Connect(w0(), fd), -EINTR);
    SleepUntil(absl::Seconds(2));
    EXPECT_EQ(Send(w0(), fd, "abcdef"), 3);
    EXPECT_EQ(Send(w0(), fd, "def"), 3);
    EXPECT_EQ(elapsed(), absl::Seconds(4));
    EXPECT_EQ(w0().calls(Call::kSend), 2u);
  });
  Run();
}

TEST_F(SimNetTest, ShortTransfersLoseNothingAndRepeat) {
  SimNetOptions options;
  options.short_transfer_percent = 60;
  options.link.jitter = absl::Milliseconds(1);
  std::string text;
  for (int i = 0; i < 20000; ++i) text += static_cast<char>('a' + i % 26);
  std::map<uint64_t, int> fingerprints;
  for (const uint64_t seed : {5u, 5u, 6u}) {
    Restart(options, seed);
    std::string received;
    Connected(
        [&](int fd) {
          size_t sent = 0;
          while (sent < text.size()) {
            const ssize_t result =
                w0().Send(fd, text.data() + sent, text.size() - sent, MSG_NOSIGNAL | MSG_DONTWAIT);
            ASSERT_GT(result, 0);
            sent += result;
          }
          w0().Close(fd);
        },
        [&](int fd) {
          for (std::string part = Recv(server(), fd, 4000); !part.empty();
               part = Recv(server(), fd, 4000)) {
            received += part;
          }
        });
    Run();
    EXPECT_EQ(received, text);
    ++fingerprints[net().fingerprint()];
  }
  EXPECT_EQ(fingerprints.size(), 2u);
}

TEST_F(SimNetTest, EveryRowOfTheTableIsWhole) {
  for (const CallRow& row : CallTable()) {
    EXPECT_FALSE(row.name.empty());
    EXPECT_FALSE(row.legal_errnos.empty()) << row.name;
  }
  EXPECT_EQ(RowOf(Call::kAccept).name, "accept4");
}

}  // namespace
}  // namespace rollcall::fault
