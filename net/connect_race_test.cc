// ConnectAny, on real sockets.
#include <fcntl.h>

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "net/address.h"
#include "net/connection.h"
#include "net/env.h"
#include "net/net_error.h"
#include "net/real_env.h"
#include "net/scripted_syscalls.h"

namespace rollcall::net {
namespace {

using ::testing::HasSubstr;

class OddConnect : public ScriptedSyscalls {
 public:
  int Connect(int fd, const sockaddr* address, socklen_t length_bytes) override {
    // Bound to the address it connects to, a socket meets itself.
    if (meets_itself) {
      EXPECT_EQ(ScriptedSyscalls::Bind(fd, address, length_bytes), 0);
    }
    const int result = ScriptedSyscalls::Connect(fd, address, length_bytes);
    return answers_instead.value_or(result);
  }

  bool meets_itself = false;
  std::optional<int> answers_instead;
};

class ConnectRaceTest : public ::testing::Test {
 protected:
  static absl::Time Soon() { return RealEnv().Now() + absl::Seconds(60); }
  static absl::Time In(absl::Duration duration) { return RealEnv().Now() + duration; }

  SocketAddress Server() {
    servers_.push_back(*RealEnv().Listen({"127.0.0.1", 0}));
    return servers_.back()->address();
  }

  // Nobody listens there.
  SocketAddress NoServer() { return (*RealEnv().Listen({"127.0.0.1", 0}))->address(); }

  // A full backlog drops who asks: no answer comes.
  SocketAddress BlackHole() {
    const SocketAddress address = Server();
    EXPECT_EQ(RealSyscalls().Listen(servers_.back()->fd(), 0), 0);
    fillers_.push_back(*RealEnv().ConnectAny({address}, Soon()));
    pollfd polled = {.fd = servers_.back()->fd(), .events = POLLIN, .revents = 0};
    EXPECT_EQ(RealSyscalls().Poll(&polled, 1, absl::Seconds(60)), 1);
    return address;
  }

  absl::Status Connect(std::vector<SocketAddress> addresses, absl::Time deadline = Soon()) {
    absl::StatusOr<std::unique_ptr<Connection>> connection = env_.ConnectAny(addresses, deadline);
    if (!connection.ok()) {
      EXPECT_TRUE(syscalls_.open_descriptors().empty());
      return connection.status();
    }
    connection_ = *std::move(connection);
    EXPECT_EQ(syscalls_.open_descriptors().size(), 1u);
    return absl::OkStatus();
  }

  static NetErrorInfo Info(const absl::Status& status) {
    const std::optional<NetErrorInfo> info = GetNetErrorInfo(status);
    EXPECT_TRUE(info.has_value()) << status;
    return info.value_or(NetErrorInfo{});
  }

  OddConnect syscalls_;
  SystemEnv env_{&syscalls_};
  std::vector<std::unique_ptr<ListeningSocket>> servers_;
  std::vector<std::unique_ptr<Connection>> fillers_;
  std::unique_ptr<Connection> connection_;
};

TEST_F(ConnectRaceTest, ConnectsAndLeavesTheSocketBlockingAndCloseOnExec) {
  const SocketAddress server = Server();
  ASSERT_EQ(Connect({server}), absl::OkStatus());
  EXPECT_EQ(connection_->peer_address(), server);
  const int fd = *syscalls_.open_descriptors().begin();
  EXPECT_EQ(fcntl(fd, F_GETFL) & O_NONBLOCK, 0);
  EXPECT_EQ(fcntl(fd, F_GETFD), FD_CLOEXEC);
}

TEST_F(ConnectRaceTest, APortWithoutAServerIsRefused) {
  const SocketAddress nobody = NoServer();
  const absl::Status status = Connect({nobody});
  EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(Info(status).kind, NetErrorKind::kRefused);
  EXPECT_EQ(Info(status).errno_value, ECONNREFUSED);
  EXPECT_EQ(Info(status).address, nobody.ToString());
  EXPECT_EQ(Info(status).attempts, 1);
}

TEST_F(ConnectRaceTest, ARefusalMovesOnToTheNextAddressAtOnce) {
  const SocketAddress server = Server();
  ASSERT_EQ(Connect({NoServer(), server}), absl::OkStatus());
  EXPECT_EQ(connection_->peer_address(), server);
}

TEST_F(ConnectRaceTest, ADeadFirstAddressCostsOnlyItsHeadStart) {
  const SocketAddress server = Server();
  const absl::Time start = RealEnv().Now();
  ASSERT_EQ(Connect({BlackHole(), server}), absl::OkStatus());
  EXPECT_EQ(connection_->peer_address(), server);
  EXPECT_GE(RealEnv().Now() - start, kConnectHeadStart);
}

TEST_F(ConnectRaceTest, NoAnswerIsToldAtTheDeadline) {
  const absl::Time deadline = In(absl::Milliseconds(30));
  const absl::Status status = Connect({BlackHole()}, deadline);
  EXPECT_GE(RealEnv().Now(), deadline);
  EXPECT_EQ(Info(status).kind, NetErrorKind::kNoAnswer);
  EXPECT_THAT(std::string(status.message()), HasSubstr("no answer"));
}

TEST_F(ConnectRaceTest, APastDeadlineStillTriesOnce) {
  EXPECT_EQ(Info(Connect({BlackHole()}, absl::InfinitePast())).kind, NetErrorKind::kNoAnswer);
  EXPECT_EQ(syscalls_.calls("connect"), 1);
}

TEST_F(ConnectRaceTest, TheErrorIsThatOfTheAttemptThatCameFurthest) {
  syscalls_.Script("connect", {-ENETUNREACH});
  const absl::Status unreachable_then_silent =
      Connect({Server(), BlackHole()}, In(absl::Milliseconds(30)));
  EXPECT_EQ(Info(unreachable_then_silent).kind, NetErrorKind::kNoAnswer);

  syscalls_.Script("connect", {-ENETUNREACH});
  const absl::Status unreachable_then_refused = Connect({Server(), NoServer()});
  EXPECT_EQ(Info(unreachable_then_refused).kind, NetErrorKind::kRefused);
  EXPECT_EQ(Info(unreachable_then_refused).attempts, 2);
  EXPECT_THAT(std::string(unreachable_then_refused.message()), HasSubstr("unreachable"));

  const SocketAddress silent = BlackHole();
  const absl::Status silent_then_refused = Connect({silent, NoServer()}, In(2 * kConnectHeadStart));
  EXPECT_EQ(Info(silent_then_refused).kind, NetErrorKind::kRefused);
  EXPECT_THAT(std::string(silent_then_refused.message()),
              HasSubstr(silent.ToString() + " (no answer)"));
}

TEST_F(ConnectRaceTest, AHardLocalErrorMovesOnAtOnceAndIsNamedIfItIsTheOnlyOne) {
  const SocketAddress server = Server();
  syscalls_.Script("socket", {-EMFILE});
  EXPECT_EQ(Connect({server, server}), absl::OkStatus());
  connection_ = nullptr;
  syscalls_.Script("connect", {-EADDRNOTAVAIL});
  EXPECT_EQ(Connect({server, server}), absl::OkStatus());
  connection_ = nullptr;

  syscalls_.Script("socket", {-EMFILE});
  EXPECT_EQ(Connect({server}).code(), absl::StatusCode::kResourceExhausted);
  syscalls_.Script("connect", {-EACCES});
  EXPECT_EQ(Connect({server}).code(), absl::StatusCode::kPermissionDenied);
  syscalls_.Script("socket", {-EAFNOSUPPORT});
  EXPECT_EQ(Info(Connect({server})).kind, NetErrorKind::kUnreachable);
}

TEST_F(ConnectRaceTest, AnInterruptedConnectGoesOn) {
  for (int odd : {-EINTR, -EALREADY, -EINPROGRESS, -EISCONN}) {
    const SocketAddress server = Server();
    syscalls_.answers_instead = odd;
    syscalls_.Script("poll", {-EINTR, 0, 1});
    ASSERT_EQ(Connect({server}), absl::OkStatus()) << ErrnoName(-odd);
    connection_ = nullptr;
  }
}

TEST_F(ConnectRaceTest, ReadyMeansNothingUntilThePeerHasAName) {
  syscalls_.answers_instead = -EINPROGRESS;
  syscalls_.Script("getpeername", {-ENOTCONN, -ENOTCONN});
  EXPECT_EQ(Connect({Server()}), absl::OkStatus());
}

TEST_F(ConnectRaceTest, AConnectionWithOneselfIsARefusal) {
  syscalls_.meets_itself = true;
  const absl::Status status = Connect({NoServer()});
  EXPECT_EQ(Info(status).kind, NetErrorKind::kRefused);
}

TEST_F(ConnectRaceTest, NoAddressIsAnError) {
  EXPECT_EQ(Info(Connect({})).kind, NetErrorKind::kNameLookup);
}

}  // namespace
}  // namespace rollcall::net
