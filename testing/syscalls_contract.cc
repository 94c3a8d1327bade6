#include "testing/syscalls_contract.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/time.h>

#include <string>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "net/address.h"
#include "net/net_error.h"
#include "net/owned_fd.h"
#include "net/socket_options.h"

namespace rollcall {

using net::OwnedFd;
using net::SocketAddress;
using net::Syscalls;

std::string NameOfSyscallsContractParam(const testing::TestParamInfo<SyscallsContractParam>& info) {
  return info.param.name;
}

namespace {

// For what must happen; never waited out where a kernel is right.
constexpr absl::Duration kSoon = absl::Seconds(60);

std::string Name(ssize_t result) {
  return result >= 0 ? "OK" : net::ErrnoName(static_cast<int>(-result));
}

// The vocabulary of the scenarios: sockets of one kernel, and what calls on them answer by name.
class Sockets {
 public:
  explicit Sockets(Syscalls& syscalls) : syscalls_(syscalls) {}

  OwnedFd New(int flags = 0) {
    const int fd = syscalls_.Socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | flags, 0);
    EXPECT_GE(fd, 0) << Name(fd);
    return OwnedFd(&syscalls_, fd);
  }

  std::string Bind(const OwnedFd& socket, const SocketAddress& address, bool reuse = false) {
    const int on = reuse;
    EXPECT_EQ(syscalls_.SetSockOpt(socket.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)), 0);
    return Name(syscalls_.Bind(socket.get(), address.data(), address.size_bytes()));
  }

  OwnedFd Listening(int backlog = 16) {
    OwnedFd socket = New(SOCK_NONBLOCK);
    EXPECT_EQ(Bind(socket, SocketAddress::LoopbackV4(0), /*reuse=*/true), "OK");
    EXPECT_EQ(syscalls_.Listen(socket.get(), backlog), 0);
    return socket;
  }

  SocketAddress AddressOf(const OwnedFd& socket) {
    return *net::LocalAddressOf(syscalls_, socket.get());
  }

  std::string Connect(const OwnedFd& socket, const SocketAddress& address) {
    return Name(syscalls_.Connect(socket.get(), address.data(), address.size_bytes()));
  }

  OwnedFd Accept(const OwnedFd& listening) {
    EXPECT_TRUE(Await(listening, POLLIN) & POLLIN);
    sockaddr_storage storage;
    socklen_t length_bytes = sizeof(storage);
    const int fd = syscalls_.Accept4(listening.get(), reinterpret_cast<sockaddr*>(&storage),
                                     &length_bytes, SOCK_CLOEXEC);
    EXPECT_GE(fd, 0) << Name(fd);
    return OwnedFd(&syscalls_, fd);
  }

  // What the socket is ready for, once it is ready for one of `events` or has hung up.
  int Await(const OwnedFd& socket, short events, absl::Duration timeout = kSoon) {
    pollfd polled = {.fd = socket.get(), .events = events, .revents = 0};
    syscalls_.Poll(&polled, 1, timeout);
    return polled.revents;
  }

  // The next read's bytes or errno; "end" at the end of the stream. Waits for what is on its way.
  std::string Read(const OwnedFd& socket) {
    Await(socket, POLLIN);
    char buffer[64];
    const ssize_t got = syscalls_.Recv(socket.get(), buffer, sizeof(buffer), MSG_DONTWAIT);
    if (got < 0) return Name(got);
    return got == 0 ? "end" : std::string(buffer, static_cast<size_t>(got));
  }

  std::string Write(const OwnedFd& socket, absl::string_view bytes = "x") {
    return Name(
        syscalls_.Send(socket.get(), bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL));
  }

  std::string SocketError(const OwnedFd& socket) {
    int error = 0;
    socklen_t length_bytes = sizeof(error);
    EXPECT_EQ(syscalls_.GetSockOpt(socket.get(), SOL_SOCKET, SO_ERROR, &error, &length_bytes), 0);
    return Name(-error);
  }

  // A close that sends a reset.
  void Reset(OwnedFd& socket) {
    const linger at_once = {.l_onoff = 1, .l_linger = 0};
    EXPECT_EQ(syscalls_.SetSockOpt(socket.get(), SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once)),
              0);
    socket.Reset();
  }

  Syscalls& syscalls() { return syscalls_; }

 private:
  Syscalls& syscalls_;
};

// Two connected sockets.
class Pair : public Sockets {
 public:
  explicit Pair(Syscalls& syscalls) : Sockets(syscalls) {
    const OwnedFd listening = Listening();
    client = New();
    EXPECT_EQ(Connect(client, AddressOf(listening)), "OK");
    server = Accept(listening);
  }

  OwnedFd client;
  OwnedFd server;
};

}  // namespace

TEST_P(SyscallsContract, ConnectWhereNobodyListensIsRefused) {
  Run([](Syscalls& syscalls) {
    Sockets sockets(syscalls);
    const SocketAddress nobody = sockets.AddressOf(sockets.Listening());
    EXPECT_EQ(sockets.Connect(sockets.New(), nobody), "ECONNREFUSED");

    const OwnedFd non_blocking = sockets.New(SOCK_NONBLOCK);
    if (sockets.Connect(non_blocking, nobody) == "EINPROGRESS") {
      EXPECT_TRUE(sockets.Await(non_blocking, POLLOUT) & POLLHUP);
      EXPECT_EQ(sockets.SocketError(non_blocking), "ECONNREFUSED");
      EXPECT_EQ(sockets.SocketError(non_blocking), "OK");  // It is told once.
    }
  });
}

TEST_P(SyscallsContract, APortWithAListenerIsTaken) {
  Run([](Syscalls& syscalls) {
    Sockets sockets(syscalls);
    const OwnedFd listening = sockets.Listening();
    EXPECT_EQ(sockets.Bind(sockets.New(), sockets.AddressOf(listening)), "EADDRINUSE");
    EXPECT_EQ(sockets.Bind(sockets.New(), sockets.AddressOf(listening), true), "EADDRINUSE");
  });
}

TEST_P(SyscallsContract, APortWhoseConnectionsLingerIsTakenUnlessReuseIsAskedFor) {
  Run([](Syscalls& syscalls) {
    Sockets sockets(syscalls);
    OwnedFd listening = sockets.Listening();
    const SocketAddress address = sockets.AddressOf(listening);
    OwnedFd client = sockets.New();
    ASSERT_EQ(sockets.Connect(client, address), "OK");
    sockets.Accept(listening).Reset();  // The server closes first: TIME_WAIT is on its side.
    EXPECT_EQ(sockets.Read(client), "end");
    client.Reset();
    listening.Reset();
    EXPECT_EQ(sockets.Bind(sockets.New(), address), "EADDRINUSE");
    EXPECT_EQ(sockets.Bind(sockets.New(), address, true), "OK");
  });
}

TEST_P(SyscallsContract, AnAddressOfAnotherHostCannotBeBound) {
  Run([](Syscalls& syscalls) {
    Sockets sockets(syscalls);
    const SocketAddress documentation = *SocketAddress::FromNumeric("203.0.113.1", 0);
    EXPECT_EQ(sockets.Bind(sockets.New(), documentation), "EADDRNOTAVAIL");
  });
}

TEST_P(SyscallsContract, AFullBacklogLeavesTheNextConnectInProgress) {
  Run([](Syscalls& syscalls) {
    Sockets sockets(syscalls);
    const OwnedFd listening = sockets.Listening(/*backlog=*/0);
    const SocketAddress address = sockets.AddressOf(listening);
    const OwnedFd first = sockets.New();
    EXPECT_EQ(sockets.Connect(first, address), "OK");
    EXPECT_TRUE(sockets.Await(listening, POLLIN) & POLLIN);
    const OwnedFd second = sockets.New(SOCK_NONBLOCK);
    EXPECT_EQ(sockets.Connect(second, address), "EINPROGRESS");
    EXPECT_EQ(sockets.Connect(second, address), "EALREADY");
    EXPECT_EQ(sockets.Await(second, POLLOUT, absl::Milliseconds(5)), 0);
  });
}

TEST_P(SyscallsContract, AListenerThatClosesResetsItsBacklog) {
  Run([](Syscalls& syscalls) {
    Sockets sockets(syscalls);
    OwnedFd listening = sockets.Listening();
    const OwnedFd client = sockets.New();
    ASSERT_EQ(sockets.Connect(client, sockets.AddressOf(listening)), "OK");
    EXPECT_TRUE(sockets.Await(listening, POLLIN) & POLLIN);
    listening.Reset();
    EXPECT_EQ(sockets.Read(client), "ECONNRESET");
    EXPECT_EQ(sockets.Write(client), "EPIPE");
  });
}

TEST_P(SyscallsContract, ANonBlockingAcceptOfNobodyAndAReceiveOfNothingSayEagain) {
  Run([](Syscalls& syscalls) {
    Pair pair(syscalls);
    const OwnedFd listening = pair.Listening();
    EXPECT_EQ(Name(syscalls.Accept4(listening.get(), nullptr, nullptr, 0)), "EAGAIN");
    char byte;
    EXPECT_EQ(Name(syscalls.Recv(pair.client.get(), &byte, 1, MSG_DONTWAIT)), "EAGAIN");
  });
}

TEST_P(SyscallsContract, AfterACleanCloseOneWriteSucceeds) {
  Run([](Syscalls& syscalls) {
    Pair pair(syscalls);
    pair.server.Reset();
    EXPECT_EQ(pair.Read(pair.client), "end");
    EXPECT_EQ(pair.Write(pair.client), "OK");
    EXPECT_TRUE(pair.Await(pair.client, 0) & POLLHUP);  // The answer to it came.
    EXPECT_EQ(pair.Write(pair.client), "EPIPE");
  });
}

TEST_P(SyscallsContract, ACloseWithUnreadBytesIsAReset) {
  Run([](Syscalls& syscalls) {
    Pair pair(syscalls);
    EXPECT_EQ(pair.Write(pair.client), "OK");
    EXPECT_TRUE(pair.Await(pair.server, POLLIN) & POLLIN);
    pair.server.Reset();
    EXPECT_EQ(pair.Read(pair.client), "ECONNRESET");
  });
}

TEST_P(SyscallsContract, AResetIsReadOnceThenItIsTheEnd) {
  Run([](Syscalls& syscalls) {
    Pair pair(syscalls);
    pair.Reset(pair.server);
    EXPECT_EQ(pair.Read(pair.client), "ECONNRESET");
    EXPECT_EQ(pair.Read(pair.client), "end");
    EXPECT_EQ(pair.Write(pair.client), "EPIPE");
  });
}

TEST_P(SyscallsContract, AResetThatIsWrittenToFirstIsToldThere) {
  Run([](Syscalls& syscalls) {
    Pair pair(syscalls);
    pair.Reset(pair.server);
    EXPECT_TRUE(pair.Await(pair.client, 0) & POLLHUP);
    EXPECT_EQ(pair.Write(pair.client), "ECONNRESET");
    EXPECT_EQ(pair.Write(pair.client), "EPIPE");
    EXPECT_EQ(pair.Read(pair.client), "end");
  });
}

TEST_P(SyscallsContract, BytesBeforeTheEndOrTheResetAreReadFirst) {
  Run([](Syscalls& syscalls) {
    Pair closed(syscalls);
    EXPECT_EQ(closed.Write(closed.server, "abc"), "OK");
    closed.server.Reset();
    EXPECT_EQ(closed.Read(closed.client), "abc");
    EXPECT_EQ(closed.Read(closed.client), "end");

    Pair reset(syscalls);
    EXPECT_EQ(reset.Write(reset.server, "abc"), "OK");
    EXPECT_TRUE(reset.Await(reset.client, POLLIN) & POLLIN);
    reset.Reset(reset.server);
    EXPECT_TRUE(reset.Await(reset.client, 0) & POLLHUP);
    EXPECT_EQ(reset.Read(reset.client), "abc");
    EXPECT_EQ(reset.Read(reset.client), "ECONNRESET");
  });
}

TEST_P(SyscallsContract, APeerThatNeverReadsFillsUp) {
  Run([](Syscalls& syscalls) {
    Pair pair(syscalls);
    const std::string chunk(64 << 10, 'x');
    int writes = 0;
    while (pair.Write(pair.client, chunk) == "OK") ASSERT_LT(++writes, 10'000);
    EXPECT_EQ(pair.Write(pair.client, chunk), "EAGAIN");
  });
}

TEST_P(SyscallsContract, AReceiveTimeOutIsEagainAndASilentPeerCostsThatLong) {
  Run([](Syscalls& syscalls) {
    Pair pair(syscalls);
    const timeval brief = {.tv_sec = 0, .tv_usec = 5000};
    ASSERT_EQ(
        syscalls.SetSockOpt(pair.client.get(), SOL_SOCKET, SO_RCVTIMEO, &brief, sizeof(brief)), 0);
    char byte;
    EXPECT_EQ(Name(syscalls.Recv(pair.client.get(), &byte, 1, 0)), "EAGAIN");
  });
}

TEST_P(SyscallsContract, WhatOnesOwnShutdownLeaves) {
  Run([](Syscalls& syscalls) {
    Pair pair(syscalls);
    EXPECT_EQ(syscalls.Shutdown(pair.client.get(), SHUT_WR), 0);
    EXPECT_EQ(pair.Write(pair.client), "EPIPE");
    EXPECT_EQ(pair.Read(pair.server), "end");
    EXPECT_EQ(pair.Write(pair.server, "reply"), "OK");
    EXPECT_EQ(pair.Read(pair.client), "reply");
    EXPECT_EQ(syscalls.Shutdown(pair.server.get(), SHUT_RDWR), 0);
    EXPECT_EQ(pair.Read(pair.server), "end");
  });
}

TEST_P(SyscallsContract, AnUnconnectedSocketIsGoodForNothing) {
  Run([](Syscalls& syscalls) {
    Sockets sockets(syscalls);
    const OwnedFd socket = sockets.New();
    char byte;
    EXPECT_EQ(Name(syscalls.Recv(socket.get(), &byte, 1, MSG_DONTWAIT)), "ENOTCONN");
    EXPECT_EQ(sockets.Write(socket), "EPIPE");
    EXPECT_EQ(Name(syscalls.Shutdown(socket.get(), SHUT_RDWR)), "ENOTCONN");
    EXPECT_FALSE(net::PeerAddressOf(syscalls, socket.get()).ok());
    EXPECT_EQ(Name(syscalls.GetFlags(1 << 20)), "EBADF");
  });
}

TEST_P(SyscallsContract, ReadinessTellsTheThreeStatesApart) {
  Run([](Syscalls& syscalls) {
    constexpr short kAll = POLLIN | POLLOUT | POLLRDHUP;
    Pair pair(syscalls);
    EXPECT_EQ(pair.Await(pair.client, kAll), POLLOUT);
    EXPECT_EQ(syscalls.Shutdown(pair.server.get(), SHUT_WR), 0);
    EXPECT_NE(pair.Await(pair.client, POLLIN), 0);
    EXPECT_EQ(pair.Await(pair.client, kAll), POLLIN | POLLOUT | POLLRDHUP);

    Pair reset(syscalls);
    reset.Reset(reset.server);
    EXPECT_NE(reset.Await(reset.client, 0), 0);
    EXPECT_EQ(reset.Await(reset.client, kAll), POLLIN | POLLOUT | POLLRDHUP | POLLHUP | POLLERR);
  });
}

TEST_P(SyscallsContract, AnEventDescriptorIsReadyUntilItIsDrained) {
  Run([](Syscalls& syscalls) {
    Sockets sockets(syscalls);
    const OwnedFd event(&syscalls, syscalls.EventFd());
    ASSERT_TRUE(event.is_open());
    EXPECT_EQ(sockets.Await(event, POLLIN, absl::ZeroDuration()), 0);
    EXPECT_GE(syscalls.EventFdSignal(event.get()), 0);
    EXPECT_GE(syscalls.EventFdSignal(event.get()), 0);
    EXPECT_EQ(sockets.Await(event, POLLIN), POLLIN);
    EXPECT_GE(syscalls.EventFdDrain(event.get()), 0);
    EXPECT_EQ(Name(syscalls.EventFdDrain(event.get())), "EAGAIN");
  });
}

TEST_P(SyscallsContract, EpollReportsWhatItWatches) {
  Run([](Syscalls& syscalls) {
    Pair pair(syscalls);
    const OwnedFd epoll(&syscalls, syscalls.EpollCreate());
    ASSERT_TRUE(epoll.is_open());
    epoll_event watched = {.events = EPOLLIN, .data = {.u64 = 7}};
    const int fd = pair.client.get();
    EXPECT_EQ(syscalls.EpollCtl(epoll.get(), EPOLL_CTL_ADD, fd, &watched), 0);
    EXPECT_EQ(Name(syscalls.EpollCtl(epoll.get(), EPOLL_CTL_ADD, fd, &watched)), "EEXIST");
    epoll_event seen[2] = {};
    EXPECT_EQ(syscalls.EpollWait(epoll.get(), seen, 2, absl::Microseconds(100)), 0);
    EXPECT_EQ(pair.Write(pair.server), "OK");
    EXPECT_EQ(syscalls.EpollWait(epoll.get(), seen, 2, kSoon), 1);
    const uint64_t cookie = seen[0].data.u64;  // The structure is packed.
    EXPECT_EQ(cookie, 7u);
    EXPECT_EQ(syscalls.EpollCtl(epoll.get(), EPOLL_CTL_DEL, fd, nullptr), 0);
    EXPECT_EQ(Name(syscalls.EpollCtl(epoll.get(), EPOLL_CTL_MOD, fd, &watched)), "ENOENT");
  });
}

GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(SyscallsContract);

}  // namespace rollcall
