// What the loops over sockets do when a system call fails, and how few of them they make.
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "net/clock.h"
#include "net/connection.h"
#include "net/env.h"
#include "net/epoll_loop.h"
#include "net/event_loop.h"
#include "net/net_error.h"
#include "net/socket_options.h"
#include "net/syscalls.h"
#include "net/syscalls_decorator.h"
#include "net/uv_loop.h"
#include "testing/loop_scenario.h"

namespace rollcall::net {
namespace {

// A call that fails some times before it works.
class Failing {
 public:
  void Fail(int times, int errno_value) {
    errno_ = errno_value;
    left_ = times;
  }
  void Heal() { left_ = 0; }
  // Counts the call; true if it is to fail.
  bool Fails() {
    ++calls_;
    if (left_ == 0) return false;
    --left_;
    ++failures_;
    return true;
  }
  int result() const { return -errno_; }
  int calls() const { return calls_; }
  int failures() const { return failures_; }

 private:
  std::atomic<int> errno_ = 0;
  std::atomic<int> left_ = 0;
  std::atomic<int> calls_ = 0;
  std::atomic<int> failures_ = 0;
};

constexpr int kUntilHealed = 1 << 30;

class FaultySyscalls final : public SyscallsDecorator {
 public:
  Failing accept, recv, send, send_msg, epoll_create, event_fd, epoll_ctl, epoll_wait;
  std::atomic<size_t> bytes_per_send_max = SIZE_MAX;
  std::atomic<size_t> bytes_per_recv_max = SIZE_MAX;
  std::atomic<int> endless_fd = -1;  // There is always a bufferful to read from it.
  std::atomic<int> last_accepted = -1;

  int Accept4(int fd, sockaddr* address, socklen_t* length_bytes, int flags) override {
    if (accept.Fails()) return accept.result();
    const int result = SyscallsDecorator::Accept4(fd, address, length_bytes, flags);
    if (result >= 0) last_accepted = result;
    return result;
  }
  ssize_t Recv(int fd, void* buffer, size_t size_bytes, int flags) override {
    if (recv.Fails()) return recv.result();
    if (fd == endless_fd) return static_cast<ssize_t>(size_bytes);
    return SyscallsDecorator::Recv(fd, buffer, std::min<size_t>(size_bytes, bytes_per_recv_max),
                                   flags);
  }
  ssize_t Send(int fd, const void* buffer, size_t size_bytes, int flags) override {
    if (send.Fails()) return send.result();
    return SyscallsDecorator::Send(fd, buffer, std::min<size_t>(size_bytes, bytes_per_send_max),
                                   flags);
  }
  ssize_t SendMsg(int fd, const msghdr* message, int flags) override {
    if (send_msg.Fails()) return send_msg.result();
    if (bytes_per_send_max == SIZE_MAX) return SyscallsDecorator::SendMsg(fd, message, flags);
    const iovec& first = message->msg_iov[0];
    return SyscallsDecorator::Send(fd, first.iov_base,
                                   std::min<size_t>(first.iov_len, bytes_per_send_max), flags);
  }
  int EpollCreate() override {
    if (epoll_create.Fails()) return epoll_create.result();
    return SyscallsDecorator::EpollCreate();
  }
  int EventFd() override {
    if (event_fd.Fails()) return event_fd.result();
    return SyscallsDecorator::EventFd();
  }
  int EpollCtl(int epoll_fd, int operation, int fd, epoll_event* event) override {
    if (epoll_ctl.Fails()) return epoll_ctl.result();
    return SyscallsDecorator::EpollCtl(epoll_fd, operation, fd, event);
  }
  int EpollWait(int epoll_fd, epoll_event* events, int count, absl::Duration timeout) override {
    if (epoll_wait.Fails()) return epoll_wait.result();
    return SyscallsDecorator::EpollWait(epoll_fd, events, count, timeout);
  }
};

// RealEnv()'s, until it is stopped.
class StoppableClock final : public Clock {
 public:
  absl::Time Now() override { return stopped_ ? stopped_at_ : RealEnv().Now(); }
  void Stop() {
    stopped_at_ = RealEnv().Now();
    stopped_ = true;
  }

 private:
  absl::Time stopped_at_;
  std::atomic<bool> stopped_ = false;
};

// The system calls of the loop fail; those of the clients do not.
class SocketLoopFaults : public testing::TestWithParam<EventLoopKind> {
 protected:
  void SetUp() override {
    absl::StatusOr<std::unique_ptr<EventLoop>> loop = NewLoop();
    ASSERT_TRUE(loop.ok()) << loop.status();
    scenario_ = std::make_unique<LoopScenario>(RealEnv(), *std::move(loop));
    scenario_->on_accept = LoopScenario::Echo;
    scenario_->Listen();
  }

  absl::StatusOr<std::unique_ptr<EventLoop>> NewLoop() {
    if (GetParam() == EventLoopKind::kEpoll) return EpollLoop::New(&syscalls_, &clock_);
    return UvLoop::New(&syscalls_, &clock_);
  }

  LoopScenario& scenario() { return *scenario_; }

  void ExpectEcho(Connection& client, const std::string& bytes) {
    scenario().Send(client, bytes);
    EXPECT_TRUE(scenario().Receive(client, bytes.size()) == bytes);
  }

  int IntOption(int fd, int level, int name) {
    int value = -1;
    socklen_t length_bytes = sizeof(value);
    EXPECT_EQ(syscalls_.GetSockOpt(fd, level, name, &value, &length_bytes), 0);
    return value;
  }

  FaultySyscalls syscalls_;
  StoppableClock clock_;
  std::unique_ptr<LoopScenario> scenario_;
};

INSTANTIATE_TEST_SUITE_P(, SocketLoopFaults,
                         testing::Values(EventLoopKind::kEpoll, EventLoopKind::kLibuv),
                         [](const testing::TestParamInfo<EventLoopKind>& info) {
                           return std::string(EventLoopKindName(info.param));
                         });

// --- Accepting ---

TEST_P(SocketLoopFaults, RestsWhenAcceptingFailsForWantOfResourcesAndLosesNobody) {
  for (const int shortage : {EMFILE, ENFILE, ENOBUFS, ENOMEM}) {
    const int failures_before = syscalls_.accept.failures();
    syscalls_.accept.Fail(kUntilHealed, shortage);
    const absl::Time start = RealEnv().Now();
    const std::unique_ptr<Connection> client = scenario().Connect();
    scenario().Send(*client, "hello");
    ASSERT_TRUE(
        scenario().Eventually([&] { return syscalls_.accept.failures() >= failures_before + 3; }));
    EXPECT_GE(RealEnv().Now() - start, absl::Milliseconds(200)) << "it spins";
    syscalls_.accept.Heal();
    EXPECT_EQ(scenario().Receive(*client, 5), "hello");
  }
}

TEST_P(SocketLoopFaults, AcceptsAgainAsSoonAsAStreamCloses) {
  const std::unique_ptr<Connection> first = scenario().ConnectAndMeet();
  syscalls_.accept.Fail(kUntilHealed, EMFILE);
  const std::unique_ptr<Connection> second = scenario().Connect();
  ASSERT_TRUE(scenario().Eventually([&] { return syscalls_.accept.failures() > 0; }));
  clock_.Stop();  // The rest does not end by itself any more.
  scenario().OnLoop([&] {
    syscalls_.accept.Heal();
    scenario().session(0).stream->Close();
  });
  ExpectEcho(*second, "hello");
}

TEST_P(SocketLoopFaults, AcceptsWhoeverWaitedWhileTheProcessHadNoDescriptorLeft) {
  rlimit limit;
  ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &limit), 0);
  const rlimit old_limit = limit;
  limit.rlim_cur = 200;
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &limit), 0);
  std::vector<int> fillers;
  std::unique_ptr<Connection> client;
  scenario().WhileLoopIsBusy([&] {
    client = scenario().Connect();
    for (int fd = dup(STDERR_FILENO); fd >= 0; fd = dup(STDERR_FILENO)) fillers.push_back(fd);
    EXPECT_EQ(errno, EMFILE);
  });
  const int calls_before = syscalls_.accept.calls();
  scenario().Send(*client, "hello");
  EXPECT_TRUE(scenario().Eventually([&] { return syscalls_.accept.calls() >= calls_before + 2; }));
  scenario().OnLoop([&] { EXPECT_TRUE(scenario().sessions().empty()); });
  for (const int fd : fillers) close(fd);
  EXPECT_EQ(scenario().Receive(*client, 5), "hello");
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &old_limit), 0);
}

TEST_P(SocketLoopFaults, PassesOverConnectionsThatDiedInTheBacklog) {
  for (const int failure : {ECONNABORTED, EPROTO, EINTR, EPERM}) {
    syscalls_.accept.Fail(2, failure);
    const std::unique_ptr<Connection> client = scenario().Connect();
    ExpectEcho(*client, "hello");
  }
}

TEST_P(SocketLoopFaults, EndsARestThatItsListenerDoesNotOutlive) {
  syscalls_.accept.Fail(kUntilHealed, EMFILE);
  const std::unique_ptr<Connection> client = scenario().Connect();
  ASSERT_TRUE(scenario().Eventually([&] { return syscalls_.accept.failures() > 0; }));
  scenario().CloseListener();
  const int failures = syscalls_.accept.failures();
  const absl::Time after_the_rest = RealEnv().Now() + absl::Milliseconds(150);
  EXPECT_TRUE(scenario().Eventually([&] { return RealEnv().Now() > after_the_rest; }));
  EXPECT_EQ(scenario().ReceiveAll(*client), "");
  scenario().OnLoop([&] { EXPECT_EQ(syscalls_.accept.failures(), failures); });
}

TEST_P(SocketLoopFaults, HandsItsOptionsDownToWhatItAccepts) {
  const std::unique_ptr<Connection> client = scenario().ConnectAndMeet();
  const int fd = syscalls_.last_accepted;
  EXPECT_EQ(IntOption(fd, IPPROTO_TCP, TCP_NODELAY), 1);
  EXPECT_EQ(IntOption(fd, SOL_SOCKET, SO_KEEPALIVE), 1);
  EXPECT_EQ(IntOption(fd, IPPROTO_TCP, TCP_KEEPIDLE), absl::ToInt64Seconds(kKeepAliveIdle));
  EXPECT_EQ(IntOption(fd, IPPROTO_TCP, TCP_KEEPINTVL), absl::ToInt64Seconds(kKeepAliveInterval));
  EXPECT_EQ(IntOption(fd, IPPROTO_TCP, TCP_KEEPCNT), kKeepAliveProbes);
  EXPECT_EQ(IntOption(fd, IPPROTO_TCP, TCP_USER_TIMEOUT),
            absl::ToInt64Milliseconds(kUnacknowledgedMax));
  EXPECT_NE(fcntl(fd, F_GETFL) & O_NONBLOCK, 0);
  EXPECT_NE(fcntl(fd, F_GETFD) & FD_CLOEXEC, 0);
}

// --- Reading and writing ---

TEST_P(SocketLoopFaults, ReadsOnAfterASignal) {
  const std::unique_ptr<Connection> client = scenario().ConnectAndMeet();
  syscalls_.recv.Fail(2, EINTR);
  ExpectEcho(*client, "hello");
  syscalls_.recv.Fail(1, EAGAIN);
  ExpectEcho(*client, "again");
}

TEST_P(SocketLoopFaults, SaysWhyReadingFailed) {
  struct Case {
    int errno_value;
    NetErrorKind kind;
  };
  for (const Case& expected :
       {Case{ETIMEDOUT, NetErrorKind::kPeerVanished}, Case{ECONNRESET, NetErrorKind::kReset}}) {
    scenario().EndSessions();
    const std::unique_ptr<Connection> client = scenario().ConnectAndMeet();
    syscalls_.recv.Fail(1, expected.errno_value);
    scenario().Send(*client, "x");
    ASSERT_TRUE(scenario().Eventually([&] { return scenario().session(0).times_ended == 1; }));
    scenario().OnLoop([&] {
      EXPECT_EQ(KindOf(scenario().session(0).why), expected.kind);
      EXPECT_EQ(GetNetErrorInfo(scenario().session(0).why)->errno_value, expected.errno_value);
    });
  }
}

TEST_P(SocketLoopFaults, ReadsOnlyAShareInEachTurnFromAPeerThatNeverPauses) {
  const std::unique_ptr<Connection> endless = scenario().ConnectAndMeet();
  scenario().OnLoop([&] {
    Session& session = scenario().session(0);
    session.on_bytes = [&session](absl::string_view) { session.received.clear(); };
    syscalls_.endless_fd = syscalls_.last_accepted.load();
  });
  scenario().Send(*endless, "x");
  const std::unique_ptr<Connection> client = scenario().ConnectAndMeet();
  for (int i = 0; i < 10; ++i) ExpectEcho(*client, "hello");
}

TEST_P(SocketLoopFaults, ReadsAllThatCameBeforeAResetHoweverSlowly) {
  const std::string bytes = "twenty bytes, in all";
  std::unique_ptr<Connection> client = scenario().ConnectAndMeet();
  scenario().OnLoop([&] { scenario().session(0).stream->Write("never read"); });
  scenario().WhileLoopIsBusy([&] {
    syscalls_.bytes_per_recv_max = 1;
    scenario().session(0).on_bytes = nullptr;
    scenario().Send(*client, bytes);
    client.reset();  // With bytes unread, which makes it a reset.
  });
  ASSERT_TRUE(scenario().Eventually([&] { return scenario().session(0).times_ended == 1; }));
  scenario().OnLoop([&] {
    EXPECT_EQ(scenario().session(0).received, bytes);
    EXPECT_EQ(KindOf(scenario().session(0).why), NetErrorKind::kReset);
  });
}

TEST_P(SocketLoopFaults, WritesOnAfterASignalOrAFullSocket) {
  const std::unique_ptr<Connection> client = scenario().ConnectAndMeet();
  syscalls_.send.Fail(2, EINTR);
  ExpectEcho(*client, "one");
  syscalls_.send.Fail(1, EAGAIN);
  syscalls_.send_msg.Fail(2, EINTR);
  ExpectEcho(*client, "two");
  syscalls_.send.Fail(1, EAGAIN);
  syscalls_.send_msg.Fail(2, EAGAIN);
  ExpectEcho(*client, "three");
  scenario().OnLoop([&] { EXPECT_EQ(scenario().session(0).times_drained, 2); });
}

TEST_P(SocketLoopFaults, WritesAByteAtATime) {
  const std::unique_ptr<Connection> client = scenario().ConnectAndMeet();
  syscalls_.bytes_per_send_max = 1;
  ExpectEcho(*client, Pattern(5000));
}

TEST_P(SocketLoopFaults, TellsOfAFailedWriteAfterItAndOnce) {
  const std::unique_ptr<Connection> client = scenario().ConnectAndMeet();
  scenario().OnLoop([&] {
    syscalls_.send.Fail(1, EPIPE);
    scenario().session(0).stream->Write("lost");
    EXPECT_EQ(scenario().session(0).times_ended, 0);
    scenario().session(0).stream->Write("also lost");
    EXPECT_EQ(scenario().session(0).stream->unsent_bytes(), 0u);
  });
  scenario().OnLoop([&] {
    EXPECT_EQ(scenario().session(0).times_ended, 1);
    EXPECT_EQ(KindOf(scenario().session(0).why), NetErrorKind::kClosedByPeer);
  });
}

TEST_P(SocketLoopFaults, ForgetsAFailedWriteWithItsStream) {
  const std::unique_ptr<Connection> client = scenario().ConnectAndMeet();
  scenario().OnLoop([&] {
    syscalls_.send.Fail(1, EPIPE);
    scenario().session(0).stream->Write("lost");
    scenario().session(0).stream.reset();
  });
  scenario().OnLoop([&] { EXPECT_EQ(scenario().session(0).times_ended, 0); });
}

TEST_P(SocketLoopFaults, EndsAStreamWhoseQueueCannotBeSent) {
  const std::unique_ptr<Connection> client = scenario().ConnectAndMeet();
  syscalls_.send.Fail(1, EAGAIN);
  syscalls_.send_msg.Fail(1, ECONNRESET);
  scenario().Send(*client, "x");
  ASSERT_TRUE(scenario().Eventually([&] { return scenario().session(0).times_ended == 1; }));
  scenario().OnLoop([&] {
    EXPECT_EQ(KindOf(scenario().session(0).why), NetErrorKind::kReset);
    EXPECT_EQ(scenario().session(0).stream->unsent_bytes(), 0u);
    EXPECT_EQ(scenario().session(0).times_drained, 0);
  });
}

// --- Few calls ---

TEST_P(SocketLoopFaults, MakesOneReceiveAndOneSendForARequest) {
  constexpr int kRequests = 50;
  const std::unique_ptr<Connection> client = scenario().ConnectAndMeet();
  const int receives = syscalls_.recv.calls();
  const int sends = syscalls_.send.calls();
  for (int i = 0; i < kRequests; ++i) ExpectEcho(*client, "request");
  EXPECT_EQ(syscalls_.recv.calls(), receives + kRequests);
  EXPECT_EQ(syscalls_.send.calls(), sends + kRequests);
}

// --- epoll alone ---

TEST(EpollLoopFaults, SaysThatDescriptorsAreShort) {
  FaultySyscalls syscalls;
  syscalls.epoll_create.Fail(1, EMFILE);
  EXPECT_EQ(KindOf(EpollLoop::New(&syscalls, &RealEnv()).status()),
            NetErrorKind::kResourceExhausted);
  syscalls.event_fd.Fail(1, EMFILE);
  EXPECT_EQ(KindOf(EpollLoop::New(&syscalls, &RealEnv()).status()),
            NetErrorKind::kResourceExhausted);
  EXPECT_TRUE(EpollLoop::New(&syscalls, &RealEnv()).ok());
}

TEST(EpollLoopFaults, GoesOnAfterASignal) {
  FaultySyscalls syscalls;
  const auto loop = EpollLoop::New(&syscalls, &RealEnv());
  ASSERT_TRUE(loop.ok());
  syscalls.epoll_wait.Fail(3, EINTR);
  // One failed wait may outlast a timer, so it is made anew until all have failed.
  std::function<void()> look = [&] {
    if (syscalls.epoll_wait.failures() == 3) return (*loop)->Stop();
    (*loop)->RunAt((*loop)->Now() + absl::Milliseconds(1), look);
  };
  look();
  (*loop)->Run();
  EXPECT_EQ(syscalls.epoll_wait.failures(), 3);
}

TEST(EpollLoopFaults, EndsAStreamThatCannotBeWatchedAndDoesNotListenUnwatched) {
  FaultySyscalls syscalls;
  auto loop = EpollLoop::New(&syscalls, &RealEnv());
  ASSERT_TRUE(loop.ok());
  LoopScenario scenario(RealEnv(), *std::move(loop));
  syscalls.epoll_ctl.Fail(1, ENOMEM);
  EXPECT_EQ(KindOf(scenario.Listen(ListenOptions())), NetErrorKind::kResourceExhausted);

  scenario.on_accept = [&](Session& session) {
    syscalls.epoll_ctl.Fail(1, ENOMEM);
    session.stream->Start(&session);
    EXPECT_EQ(session.times_ended, 0);
  };
  scenario.Listen();
  const std::unique_ptr<Connection> client = scenario.ConnectAndMeet();
  ASSERT_TRUE(scenario.Eventually([&] { return scenario.session(0).times_ended == 1; }));
  scenario.OnLoop(
      [&] { EXPECT_EQ(KindOf(scenario.session(0).why), NetErrorKind::kResourceExhausted); });
}

TEST(EpollLoopFaults, WaitsQuietlyWhilePeersThatHaveEndedAreLeftUnread) {
  constexpr int kRequests = 100;
  FaultySyscalls syscalls;
  auto loop = EpollLoop::New(&syscalls, &RealEnv());
  ASSERT_TRUE(loop.ok());
  LoopScenario scenario(RealEnv(), *std::move(loop));
  scenario.on_accept = LoopScenario::Echo;
  scenario.Listen();
  const std::unique_ptr<Connection> paused = scenario.ConnectAndMeet();
  const std::unique_ptr<Connection> ended = scenario.ConnectAndMeet();
  scenario.OnLoop([&] { scenario.session(0).stream->PauseReading(); });
  ASSERT_EQ(paused->ShutdownWrite(), absl::OkStatus());
  ASSERT_EQ(ended->ShutdownWrite(), absl::OkStatus());
  ASSERT_TRUE(scenario.Eventually([&] { return scenario.session(1).times_ended == 1; }));

  const std::unique_ptr<Connection> client = scenario.ConnectAndMeet();
  const int before = syscalls.epoll_wait.calls();
  for (int i = 0; i < kRequests; ++i) {
    scenario.Send(*client, "x");
    ASSERT_EQ(scenario.Receive(*client, 1), "x");
  }
  EXPECT_LE(syscalls.epoll_wait.calls(), before + 2 * kRequests);
}

TEST(EpollLoopFaults, WatchesAConnectionWithTwoCallsFromItsBeginningToItsEnd) {
  FaultySyscalls syscalls;
  auto loop = EpollLoop::New(&syscalls, &RealEnv());
  ASSERT_TRUE(loop.ok());
  LoopScenario scenario(RealEnv(), *std::move(loop));
  scenario.on_accept = [](Session& session) {
    session.on_end = [&session] { session.stream->Close(); };
    LoopScenario::Echo(session);
    session.stream->ResumeReading();
  };
  scenario.Listen();
  const int before = syscalls.epoll_ctl.calls();
  std::unique_ptr<Connection> client = scenario.ConnectAndMeet();
  scenario.Send(*client, "x");
  EXPECT_EQ(scenario.Receive(*client, 1), "x");
  client.reset();
  ASSERT_TRUE(scenario.Eventually([&] { return scenario.session(0).times_ended == 1; }));
  EXPECT_EQ(syscalls.epoll_ctl.calls(), before + 2);
}

}  // namespace
}  // namespace rollcall::net
