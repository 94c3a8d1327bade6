#include "net/socket_connection.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>

#include <string>
#include <thread>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "net/net_error.h"
#include "net/real_env.h"
#include "net/scripted_syscalls.h"
#include "net/socket_options.h"

namespace rollcall::net {
namespace {

using ::testing::HasSubstr;

NetErrorKind KindOf(const absl::Status& status) {
  const std::optional<NetErrorInfo> info = GetNetErrorInfo(status);
  EXPECT_TRUE(info.has_value()) << status;
  return info.has_value() ? info->kind : NetErrorKind::kUnknown;
}

// A client whose system calls can be scripted, and the peer it is connected to.
class SocketConnectionTest : public ::testing::Test {
 protected:
  SocketConnectionTest() {
    listener_ = *RealEnv().Listen({"127.0.0.1", 0});
    client_ = *env_.ConnectAny({listener_->address()}, Soon());
    peer_ = *listener_->Accept(Soon());
  }

  // For what must happen; long enough for the slowest machine.
  static absl::Time Soon() { return RealEnv().Now() + absl::Seconds(60); }
  static absl::Time In(absl::Duration duration) { return RealEnv().Now() + duration; }

  // One read; the error's kind by name, or the bytes.
  std::string Read(Connection& connection, absl::Time deadline = Soon()) {
    char buffer[64];
    const absl::StatusOr<size_t> size_bytes = connection.Read(buffer, sizeof(buffer), deadline);
    if (size_bytes.ok()) return std::string(buffer, *size_bytes);
    return std::string(NetErrorKindName(KindOf(size_bytes.status())));
  }

  std::string Write(Connection& connection, absl::string_view bytes, absl::Time deadline = Soon()) {
    const absl::Status status = connection.Write(bytes, deadline);
    return status.ok() ? "OK" : std::string(NetErrorKindName(KindOf(status)));
  }

  // The peer's kernel answers a close with unread bytes by a reset.
  void PeerResets(absl::string_view last_words = "") {
    ASSERT_EQ(Write(*client_, "unread"), "OK");
    ASSERT_EQ(Write(*peer_, last_words), "OK");
    peer_ = nullptr;
  }

  // Until the client's kernel has heard that the connection is no more, without reading it out.
  void AwaitHangUp() {
    pollfd polled = {.fd = *syscalls_.open_descriptors().begin(), .events = 0, .revents = 0};
    EXPECT_EQ(RealSyscalls().Poll(&polled, 1, absl::Seconds(60)), 1);
  }

  // More than the two sockets' buffers hold.
  static std::string TooMuch() { return std::string(64 << 20, 'x'); }

  ScriptedSyscalls syscalls_;
  SystemEnv env_{&syscalls_};
  std::unique_ptr<ListeningSocket> listener_;
  std::unique_ptr<Connection> client_;
  std::unique_ptr<Connection> peer_;
};

TEST_F(SocketConnectionTest, BytesGoBothWays) {
  EXPECT_EQ(Write(*client_, "hello"), "OK");
  EXPECT_EQ(Read(*peer_), "hello");
  EXPECT_EQ(Write(*peer_, "world"), "OK");
  EXPECT_EQ(Read(*client_), "world");
  EXPECT_EQ(client_->peer_address(), listener_->address());
  EXPECT_EQ(client_->local_address(), peer_->peer_address());
}

TEST_F(SocketConnectionTest, AnExchangeCostsOneSendAndOneReceive) {
  ASSERT_EQ(Write(*peer_, "reply"), "OK");
  syscalls_.ForgetCalls();
  EXPECT_EQ(Write(*client_, "request"), "OK");
  EXPECT_EQ(Read(*client_), "reply");
  EXPECT_EQ(syscalls_.calls("send"), 1);
  EXPECT_EQ(syscalls_.calls("recv"), 1);
  EXPECT_EQ(syscalls_.calls("poll"), 0);
}

TEST_F(SocketConnectionTest, TheLastBytesAreReadBeforeTheEnd) {
  ASSERT_EQ(Write(*peer_, "abc"), "OK");
  peer_ = nullptr;
  EXPECT_EQ(Read(*client_), "abc");
  EXPECT_EQ(Read(*client_), "closed by peer");
  EXPECT_EQ(Read(*client_), "closed by peer");
}

TEST_F(SocketConnectionTest, TheFirstWriteAfterACleanCloseSucceedsAndTheNextDoesNot) {
  peer_ = nullptr;
  EXPECT_EQ(Write(*client_, "x"), "OK");
  AwaitHangUp();
  EXPECT_EQ(Write(*client_, "x"), "closed by peer");
}

TEST_F(SocketConnectionTest, APeerThatClosesWithUnreadBytesResets) {
  PeerResets();
  EXPECT_EQ(Read(*client_), "reset");
  EXPECT_EQ(Read(*client_), "closed by peer");
  EXPECT_EQ(Write(*client_, "x"), "closed by peer");
}

TEST_F(SocketConnectionTest, AWriteMayBeTheFirstToSeeTheReset) {
  PeerResets();
  AwaitHangUp();
  EXPECT_EQ(Write(*client_, "x"), "reset");
  EXPECT_EQ(Write(*client_, "x"), "closed by peer");
  EXPECT_EQ(Read(*client_), "closed by peer");
}

TEST_F(SocketConnectionTest, TheLastBytesAreReadBeforeTheReset) {
  PeerResets("abc");
  EXPECT_EQ(Read(*client_), "abc");
  EXPECT_EQ(Read(*client_), "reset");
}

TEST_F(SocketConnectionTest, ASilentPeerIsATimeOutAtTheDeadlineAndNothingIsLost) {
  // Below and above what the first receive may block for.
  for (absl::Duration timeout : {absl::Microseconds(500), absl::Milliseconds(7),
                                 2 * kReceiveSlice + absl::Milliseconds(3)}) {
    const absl::Time deadline = In(timeout);
    EXPECT_EQ(Read(*client_, deadline), "timed out");
    EXPECT_GE(RealEnv().Now(), deadline);
  }
  ASSERT_EQ(Write(*peer_, "late"), "OK");
  EXPECT_EQ(Read(*client_), "late");
}

TEST_F(SocketConnectionTest, AReplyAfterTheFirstReceiveGaveUpIsReadToo) {
  // The first receive ends as it does when its time is up, long before there is a reply.
  syscalls_.Script("recv", {-EAGAIN});
  ASSERT_EQ(Write(*peer_, "reply"), "OK");
  syscalls_.ForgetCalls();
  EXPECT_EQ(Read(*client_), "reply");
  EXPECT_EQ(syscalls_.calls("poll"), 1);
}

TEST_F(SocketConnectionTest, APastDeadlineTakesWhatIsThere) {
  ASSERT_EQ(Write(*peer_, "there"), "OK");
  EXPECT_EQ(Read(*client_, absl::InfinitePast()), "there");
  EXPECT_EQ(Read(*client_, absl::InfinitePast()), "timed out");
  EXPECT_EQ(Write(*client_, "small", absl::InfinitePast()), "OK");
}

TEST_F(SocketConnectionTest, APeerThatNeverReadsIsATimeOut) {
  const absl::Time deadline = In(absl::Milliseconds(50));
  EXPECT_EQ(Write(*client_, TooMuch(), deadline), "timed out");
  EXPECT_GE(RealEnv().Now(), deadline);
}

TEST_F(SocketConnectionTest, ShortTransfersAndSignalsAreInvisible) {
  const std::string sent(1 << 20, 'y');
  syscalls_.set_transfer_bytes_max(4999);
  syscalls_.Script("send", {-EINTR, ScriptedSyscalls::kReal, -EAGAIN, -EINTR, -ENOBUFS, -ENOMEM});
  syscalls_.Script("recv", {-EINTR, -EAGAIN, ScriptedSyscalls::kReal, -EINTR});
  syscalls_.Script("poll", {-EINTR, -ENOMEM, 0, -EINTR, 1});
  std::unique_ptr<Thread> echo = RealEnv().StartThread("echo", [&] {
    for (size_t echoed = 0; echoed < sent.size();) {
      const std::string bytes = Read(*peer_);
      ASSERT_EQ(Write(*peer_, bytes), "OK");
      echoed += bytes.size();
    }
  });
  std::string received;
  std::unique_ptr<Thread> reader = RealEnv().StartThread("reader", [&] {
    while (received.size() < sent.size()) received += Read(*client_);
  });
  EXPECT_EQ(Write(*client_, sent), "OK");
  reader = nullptr;
  echo = nullptr;
  EXPECT_EQ(received, sent);
}

TEST_F(SocketConnectionTest, SignalsDoNotMoveTheDeadline) {
  syscalls_.Script("poll", {-EINTR, -EINTR, 0, 0, -EINTR});
  const absl::Time deadline = In(absl::Milliseconds(20));
  EXPECT_EQ(Read(*client_, deadline), "timed out");
  EXPECT_GE(RealEnv().Now(), deadline);
}

TEST_F(SocketConnectionTest, ShutdownWakesAReaderAndStaysFinal) {
  std::string result;
  std::unique_ptr<Thread> reader =
      RealEnv().StartThread("reader", [&] { result = Read(*client_); });
  client_->Shutdown();
  reader = nullptr;
  EXPECT_EQ(result, "shut down");
  EXPECT_EQ(Read(*client_), "shut down");
  EXPECT_EQ(Write(*client_, "x"), "shut down");
  EXPECT_EQ(Read(*peer_), "closed by peer");
}

TEST_F(SocketConnectionTest, ShutdownWakesAReaderThatPolls) {
  syscalls_.Script("recv", {-EAGAIN});
  syscalls_.ForgetCalls();
  std::string result;
  std::unique_ptr<Thread> reader =
      RealEnv().StartThread("reader", [&] { result = Read(*client_); });
  while (syscalls_.calls("poll") == 0) std::this_thread::yield();
  client_->Shutdown();
  reader = nullptr;
  EXPECT_EQ(result, "shut down");
}

TEST_F(SocketConnectionTest, ShutdownWakesAWriter) {
  std::string result;
  const std::string bytes = TooMuch();
  std::unique_ptr<Thread> writer =
      RealEnv().StartThread("writer", [&] { result = Write(*client_, bytes); });
  EXPECT_EQ(Read(*peer_).front(), 'x');  // It has begun.
  client_->Shutdown();
  writer = nullptr;
  EXPECT_EQ(result, "shut down");
}

TEST_F(SocketConnectionTest, AHalfClosedStreamCanStillBeReadFrom) {
  ASSERT_TRUE(client_->ShutdownWrite().ok());
  EXPECT_EQ(Read(*peer_), "closed by peer");
  EXPECT_EQ(Write(*peer_, "reply"), "OK");
  EXPECT_EQ(Read(*client_), "reply");
  EXPECT_EQ(Write(*client_, "x"), "shut down");
}

TEST_F(SocketConnectionTest, HalfClosingAConnectionThatWasCutSaysSo) {
  PeerResets();
  EXPECT_EQ(Read(*client_), "reset");
  EXPECT_EQ(KindOf(client_->ShutdownWrite()), NetErrorKind::kClosedByPeer);
}

TEST_F(SocketConnectionTest, AVanishedPeerAndABugHaveTheirNames) {
  syscalls_.Script("recv", {-ETIMEDOUT, -EHOSTUNREACH, -EBADF});
  EXPECT_EQ(Read(*client_), "peer vanished");
  EXPECT_EQ(Read(*client_), "peer vanished");
  EXPECT_EQ(Read(*client_), "bug");
}

TEST_F(SocketConnectionTest, ErrorsNameThePeerAndTheErrno) {
  PeerResets();
  char byte;
  const absl::Status status = client_->Read(&byte, 1, Soon()).status();
  EXPECT_THAT(std::string(status.message()), HasSubstr(listener_->address().ToString()));
  EXPECT_THAT(std::string(status.message()), HasSubstr("ECONNRESET"));
  EXPECT_EQ(GetNetErrorInfo(status)->address, listener_->address().ToString());
}

TEST_F(SocketConnectionTest, TheSocketIsSetUpAndClosed) {
  ASSERT_EQ(syscalls_.open_descriptors().size(), 1u);
  const int fd = *syscalls_.open_descriptors().begin();
  const auto option = [&](int level, int name) {
    int value = -1;
    socklen_t length_bytes = sizeof(value);
    EXPECT_EQ(syscalls_.GetSockOpt(fd, level, name, &value, &length_bytes), 0);
    return value;
  };
  EXPECT_EQ(option(IPPROTO_TCP, TCP_NODELAY), 1);
  EXPECT_EQ(option(SOL_SOCKET, SO_KEEPALIVE), 1);
  EXPECT_EQ(option(IPPROTO_TCP, TCP_KEEPIDLE), 20);
  EXPECT_EQ(option(IPPROTO_TCP, TCP_KEEPINTVL), 10);
  EXPECT_EQ(option(IPPROTO_TCP, TCP_KEEPCNT), 4);
  EXPECT_EQ(option(IPPROTO_TCP, TCP_USER_TIMEOUT), 60000);
  EXPECT_EQ(fcntl(fd, F_GETFD), FD_CLOEXEC);
  client_ = nullptr;
  EXPECT_TRUE(syscalls_.open_descriptors().empty());
}

}  // namespace
}  // namespace rollcall::net
