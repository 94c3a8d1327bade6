#include "net/listen_sockets.h"

#include <fcntl.h>
#include <unistd.h>

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "net/address.h"
#include "net/env.h"
#include "net/net_error.h"
#include "net/owned_fd.h"
#include "net/real_env.h"
#include "net/scripted_syscalls.h"

namespace rollcall::net {
namespace {

using ::testing::HasSubstr;
constexpr int kReal = ScriptedSyscalls::kReal;

SocketAddress V4(const char* host, uint16_t port = 0) {
  return *SocketAddress::FromNumeric(host, port);
}

absl::Time Soon() { return RealEnv().Now() + absl::Seconds(60); }

bool CanConnect(const SocketAddress& address) {
  return RealEnv().ConnectAny({address}, Soon()).ok();
}

NetErrorKind KindOf(const absl::Status& status) {
  const std::optional<NetErrorInfo> info = GetNetErrorInfo(status);
  EXPECT_TRUE(info.has_value()) << status;
  return info.has_value() ? info->kind : NetErrorKind::kUnknown;
}

class ListenSocketsTest : public ::testing::Test {
 protected:
  ~ListenSocketsTest() override {
    Close();
    EXPECT_TRUE(syscalls_.open_descriptors().empty());
  }

  absl::Status Open(const ListenOptions& options) {
    Close();
    const absl::StatusOr<std::vector<BoundSocket>> opened = OpenListenSockets(syscalls_, options);
    if (!opened.ok()) return opened.status();
    sockets_ = *opened;
    return absl::OkStatus();
  }

  void Close() {
    for (const BoundSocket& socket : sockets_) syscalls_.Close(socket.fd);
    sockets_.clear();
  }

  // Fails without leaving anything open.
  absl::Status Failure(const ListenOptions& options) {
    const absl::Status status = Open(options);
    EXPECT_FALSE(status.ok());
    EXPECT_TRUE(syscalls_.open_descriptors().empty());
    return status;
  }

  OwnedFd NewSocket(int type = SOCK_STREAM) {
    return OwnedFd(&RealSyscalls(), RealSyscalls().Socket(AF_INET, type, 0));
  }

  OwnedFd BoundTcpSocket() {
    OwnedFd fd = NewSocket();
    const SocketAddress any_port = SocketAddress::LoopbackV4(0);
    EXPECT_EQ(RealSyscalls().Bind(fd.get(), any_port.data(), any_port.size_bytes()), 0);
    return fd;
  }

  // Refused for `why`, and left as it was.
  void ExpectNotAdoptable(int fd, absl::string_view why, uint16_t port = 0) {
    const int flags = fcntl(fd, F_GETFL);
    const absl::Status status = Failure({.addresses = {}, .port = port, .adopt_fd = fd});
    EXPECT_EQ(KindOf(status), NetErrorKind::kBadDescriptor);
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
    EXPECT_THAT(std::string(status.message()), HasSubstr(std::string(why)));
    EXPECT_EQ(fcntl(fd, F_GETFL), flags);
  }

  ScriptedSyscalls syscalls_;
  std::vector<BoundSocket> sockets_;
};

TEST_F(ListenSocketsTest, NoAddressMeansAllInterfacesOnOnePort) {
  ASSERT_EQ(Open({}), absl::OkStatus());
  ASSERT_EQ(sockets_.size(), 1u);
  const uint16_t port = sockets_[0].address.port();
  EXPECT_NE(port, 0);
  EXPECT_TRUE(CanConnect(SocketAddress::LoopbackV4(port)));
  if (sockets_[0].address.family() == AF_INET6) {
    EXPECT_TRUE(CanConnect(SocketAddress::LoopbackV6(port)));
  }
  EXPECT_NE(fcntl(sockets_[0].fd, F_GETFL) & O_NONBLOCK, 0);
  EXPECT_EQ(fcntl(sockets_[0].fd, F_GETFD), FD_CLOEXEC);
}

TEST_F(ListenSocketsTest, AKernelWithoutIpv6ListensOnIpv4) {
  syscalls_.Script("socket", {-EAFNOSUPPORT});
  ASSERT_EQ(Open({}), absl::OkStatus());
  EXPECT_EQ(sockets_[0].address.family(), AF_INET);
  EXPECT_TRUE(CanConnect(SocketAddress::LoopbackV4(sockets_[0].address.port())));
}

TEST_F(ListenSocketsTest, AHostThatHasIpv6SwitchedOffListensOnIpv4) {
  if (Open({}).ok() && sockets_[0].address.family() == AF_INET6) {
    syscalls_.Script("bind", {-EADDRNOTAVAIL});
  }
  ASSERT_EQ(Open({}), absl::OkStatus());
  EXPECT_EQ(sockets_[0].address.family(), AF_INET);
}

TEST_F(ListenSocketsTest, AllAddressesShareTheChosenPort) {
  ASSERT_EQ(Open({.addresses = {V4("127.0.0.1"), V4("127.0.0.2"), V4("127.0.0.3")}}),
            absl::OkStatus());
  ASSERT_EQ(sockets_.size(), 3u);
  for (const BoundSocket& socket : sockets_) {
    EXPECT_EQ(socket.address.port(), sockets_[0].address.port());
    EXPECT_TRUE(CanConnect(socket.address));
  }
}

TEST_F(ListenSocketsTest, AnAddressOfAMissingFamilyIsLeftOut) {
  syscalls_.Script("socket", {-EAFNOSUPPORT});
  ASSERT_EQ(Open({.addresses = {SocketAddress::LoopbackV6(0), SocketAddress::LoopbackV4(0)}}),
            absl::OkStatus());
  ASSERT_EQ(sockets_.size(), 1u);
  EXPECT_EQ(sockets_[0].address.family(), AF_INET);
}

TEST_F(ListenSocketsTest, AChosenPortThatIsTakenOnTheSecondAddressIsChosenAgain) {
  const ListenOptions both = {.addresses = {V4("127.0.0.1"), V4("127.0.0.2")}};
  syscalls_.Script("bind", {kReal, -EADDRINUSE, kReal, -EADDRINUSE});
  ASSERT_EQ(Open(both), absl::OkStatus());
  EXPECT_EQ(sockets_.size(), 2u);
  Close();
  for (int i = 0; i < 64; ++i) syscalls_.Script("bind", {kReal, -EADDRINUSE});
  EXPECT_EQ(KindOf(Failure(both)), NetErrorKind::kAddressInUse);
}

TEST_F(ListenSocketsTest, ATakenPortIsToldWithItsNumberAndAWayOut) {
  const auto taken = *RealEnv().Listen({"127.0.0.1", 0});
  const uint16_t port = taken->address().port();
  for (const ListenOptions& options :
       {ListenOptions{.addresses = {}, .port = port},
        ListenOptions{.addresses = {SocketAddress::LoopbackV4(port)}}}) {
    const absl::Status status = Failure(options);
    EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
    EXPECT_EQ(KindOf(status), NetErrorKind::kAddressInUse);
    const std::string message(status.message());
    EXPECT_THAT(message, HasSubstr("Address already in use"));
    EXPECT_THAT(message, HasSubstr("EADDRINUSE"));
    EXPECT_THAT(message, HasSubstr("port " + std::to_string(port)));
    EXPECT_THAT(message, HasSubstr("choose another port"));
  }
}

TEST_F(ListenSocketsTest, WhatEndsInErrorSaysWhatToDo) {
  struct Row {
    const char* call;
    int result;
    NetErrorKind kind;
    const char* remedy;
  };
  const std::vector<Row> rows = {
      {"bind", -EACCES, NetErrorKind::kPermission, "choose a higher one"},
      {"bind", -EADDRNOTAVAIL, NetErrorKind::kAddressNotLocal, "no network interface"},
      {"socket", -EMFILE, NetErrorKind::kResourceExhausted, "ulimit -n"},
      {"listen", -EADDRINUSE, NetErrorKind::kAddressInUse, "choose another port"},
      {"listen", -ENOBUFS, NetErrorKind::kResourceExhausted, ""},
  };
  for (const Row& row : rows) {
    syscalls_.Script(row.call, {row.result});
    // A port that is asked for: one the system chose would be chosen again.
    const uint16_t port = (*RealEnv().Listen({"127.0.0.1", 0}))->address().port();
    const absl::Status status = Failure({.addresses = {SocketAddress::LoopbackV4(port)}});
    EXPECT_EQ(KindOf(status), row.kind) << status;
    EXPECT_THAT(std::string(status.message()), HasSubstr(row.remedy));
  }
}

TEST_F(ListenSocketsTest, OnePortForAllAddresses) {
  EXPECT_EQ(Failure({.addresses = {V4("127.0.0.1", 80), V4("127.0.0.2", 81)}}).code(),
            absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(Failure({.addresses = {V4("127.0.0.1", 80)}, .port = 81}).code(),
            absl::StatusCode::kInvalidArgument);
}

TEST_F(ListenSocketsTest, APortWhoseConnectionsLingerCanBeTakenAgain) {
  auto listener = *RealEnv().Listen({"127.0.0.1", 0});
  const SocketAddress address = listener->address();
  auto client = *RealEnv().ConnectAny({address}, Soon());
  auto accepted = *listener->Accept(Soon());
  accepted = nullptr;  // The server closes first: TIME_WAIT is on its side.
  client = nullptr;
  listener = nullptr;
  EXPECT_EQ(Open({.addresses = {address}}), absl::OkStatus());
}

TEST_F(ListenSocketsTest, TakesOverABoundSocketThatListensOrNot) {
  for (bool listens : {false, true}) {
    OwnedFd bound = BoundTcpSocket();
    if (listens) {
      ASSERT_EQ(RealSyscalls().Listen(bound.get(), 1), 0);
    }
    const int fd = bound.Release();
    ASSERT_EQ(Open({.addresses = {}, .adopt_fd = fd}), absl::OkStatus());
    ASSERT_EQ(sockets_.size(), 1u);
    EXPECT_EQ(sockets_[0].fd, fd);
    EXPECT_TRUE(CanConnect(sockets_[0].address));
    EXPECT_NE(fcntl(fd, F_GETFL) & O_NONBLOCK, 0);
    EXPECT_EQ(fcntl(fd, F_GETFD), FD_CLOEXEC);
  }
}

TEST_F(ListenSocketsTest, LeavesAnUnsuitableDescriptorToItsOwner) {
  int pipe_fds[2];
  ASSERT_EQ(pipe(pipe_fds), 0);
  const OwnedFd pipe_end(&RealSyscalls(), pipe_fds[0]);
  const OwnedFd other_end(&RealSyscalls(), pipe_fds[1]);
  ExpectNotAdoptable(pipe_end.get(), "not an open socket");
  ExpectNotAdoptable(NewSocket(SOCK_DGRAM).get(), "not a stream (TCP) socket");
  ExpectNotAdoptable(NewSocket().get(), "not bound to a port");
  ExpectNotAdoptable(BoundTcpSocket().get(), "not to port 1", 1);
  ExpectNotAdoptable(1 << 20, "EBADF");

  const auto listener = *RealEnv().Listen({"127.0.0.1", 0});
  const OwnedFd connected = NewSocket();
  const SocketAddress address = listener->address();
  ASSERT_EQ(RealSyscalls().Connect(connected.get(), address.data(), address.size_bytes()), 0);
  ExpectNotAdoptable(connected.get(), "it is a connection");
}

TEST(AcceptSocketTest, AcceptsUnderADeadline) {
  ScriptedSyscalls syscalls;
  SystemEnv env(&syscalls);
  const auto listener = *env.Listen({"127.0.0.1", 0});
  const absl::Time deadline = RealEnv().Now() + absl::Milliseconds(5);
  EXPECT_EQ(KindOf(listener->Accept(deadline).status()), NetErrorKind::kTimedOut);
  EXPECT_GE(RealEnv().Now(), deadline);

  const auto client = *RealEnv().ConnectAny({listener->address()}, Soon());
  syscalls.Script("accept4", {-EINTR, -ECONNABORTED, -EAGAIN, -EPROTO});
  const auto accepted = listener->Accept(Soon());
  ASSERT_TRUE(accepted.ok()) << accepted.status();
  EXPECT_EQ((*accepted)->peer_address(), client->local_address());
}

TEST(AcceptSocketTest, TellsThatDescriptorsAreShortAndLosesNobody) {
  ScriptedSyscalls syscalls;
  SystemEnv env(&syscalls);
  const auto listener = *env.Listen({"127.0.0.1", 0});
  const auto client = *RealEnv().ConnectAny({listener->address()}, Soon());
  syscalls.Script("accept4", {-EMFILE});
  EXPECT_EQ(KindOf(listener->Accept(Soon()).status()), NetErrorKind::kResourceExhausted);
  EXPECT_TRUE(listener->Accept(Soon()).ok());
}

TEST(AcceptSocketTest, AReleasedDescriptorIsTheCallers) {
  auto listener = *RealEnv().Listen({"127.0.0.1", 0});
  const SocketAddress address = listener->address();
  const OwnedFd fd(&RealSyscalls(), listener->Release());
  listener = nullptr;
  EXPECT_TRUE(CanConnect(address));
}

TEST(AcceptSocketTest, EmptyHostAndNamesAndOddHosts) {
  EXPECT_TRUE(RealEnv().Listen({"", 0}).ok());
  EXPECT_TRUE(RealEnv().Listen({"localhost", 0}).ok());
  EXPECT_FALSE(RealEnv().Listen({"no such host", 0}).ok());
}

TEST(ClassifyAcceptFailureTest, SaysWhatTheListenerShouldDo) {
  EXPECT_EQ(ClassifyAcceptFailure(EAGAIN), AcceptFailure::kNothingToAccept);
  for (int errno_value : {EINTR, ECONNABORTED, EPROTO, EPERM, ENETDOWN, EHOSTUNREACH}) {
    EXPECT_EQ(ClassifyAcceptFailure(errno_value), AcceptFailure::kTryAgain);
  }
  for (int errno_value : {EMFILE, ENFILE, ENOBUFS, ENOMEM}) {
    EXPECT_EQ(ClassifyAcceptFailure(errno_value), AcceptFailure::kRest);
  }
  for (int errno_value : {EBADF, EINVAL, ENOTSOCK}) {
    EXPECT_EQ(ClassifyAcceptFailure(errno_value), AcceptFailure::kBroken);
  }
}

}  // namespace
}  // namespace rollcall::net
