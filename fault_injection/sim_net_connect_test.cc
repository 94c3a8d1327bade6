// Connections that do not come about on the simulated network, in virtual time.
#include <errno.h>
#include <sys/socket.h>

#include "absl/time/time.h"
#include "fault_injection/sim_kernel.h"
#include "fault_injection/sim_net_fixture.h"
#include "fault_injection/sim_net_options.h"
#include "gtest/gtest.h"

namespace rollcall::fault {
namespace {

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

}  // namespace
}  // namespace rollcall::fault
