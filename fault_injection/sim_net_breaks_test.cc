// Connections that break on the simulated network, in virtual time.
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>

#include <string>

#include "absl/time/time.h"
#include "fault_injection/sim_net_fixture.h"
#include "gtest/gtest.h"
#include "net/address.h"

namespace rollcall::fault {
namespace {

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

}  // namespace
}  // namespace rollcall::fault
