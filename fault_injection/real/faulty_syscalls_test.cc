#include "fault_injection/real/faulty_syscalls.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "net/env.h"
#include "net/monitor.h"
#include "net/syscalls.h"

namespace rollcall::fault {
namespace {

using ::testing::ElementsAre;

class FaultySyscallsTest : public testing::Test, protected FaultInjector {
 protected:
  FaultySyscallsTest()
      : monitor_(net::RealEnv().NewMonitor()),
        calls_("w1", {"server", "w1"}, this, monitor_.get(),
               [this](absl::Duration time) { slept_ += time; }) {}

  CallFault OnCall(const CallSite& site) override {
    asked_.push_back(absl::StrCat(site.host, " ", site.call, " ", site.occurrence));
    return fault_;
  }

  // Two ends of a stream.
  std::pair<int, int> Pair() {
    int fds[2];
    EXPECT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
    return {fds[0], fds[1]};
  }

  CallFault fault_;
  std::vector<std::string> asked_;
  absl::Duration slept_;
  const std::unique_ptr<net::Monitor> monitor_;
  FaultySyscalls calls_;
};

TEST_F(FaultySyscallsTest, CountsEachCallForItself) {
  const auto [a, b] = Pair();
  calls_.Send(a, "x", 1, 0);
  calls_.Send(a, "x", 1, 0);
  calls_.Close(a);
  calls_.Close(b);
  EXPECT_THAT(asked_, ElementsAre("w1 send 1", "w1 send 2", "w1 close 1", "w1 close 2"));
}

TEST_F(FaultySyscallsTest, AnErrorIsAllThatHappens) {
  const auto [a, b] = Pair();
  fault_.errno_value = ECONNRESET;
  EXPECT_EQ(calls_.Send(a, "x", 1, 0), -ECONNRESET);
  char byte;
  EXPECT_EQ(net::RealSyscalls().Recv(b, &byte, 1, MSG_DONTWAIT), -EAGAIN);
  fault_.errno_value = 0;
  calls_.Close(a);
  calls_.Close(b);
}

TEST_F(FaultySyscallsTest, ACloseThatFailsHasClosed) {
  const auto [a, b] = Pair();
  fault_.errno_value = EINTR;
  EXPECT_EQ(calls_.Close(a), -EINTR);
  EXPECT_EQ(net::RealSyscalls().Close(a), -EBADF);
  fault_.errno_value = 0;
  calls_.Close(b);
}

TEST_F(FaultySyscallsTest, ATransferOfManyPartsIsShortenedToItsBeginning) {
  const auto [a, b] = Pair();
  std::string first = "abc";
  std::string second = "def";
  iovec parts[] = {{first.data(), first.size()}, {second.data(), second.size()}};
  msghdr message = {};
  message.msg_iov = parts;
  message.msg_iovlen = 2;
  fault_.transfer_bytes_max = 4;
  EXPECT_EQ(calls_.SendMsg(a, &message, 0), 4);
  fault_.transfer_bytes_max = 2;
  char buffer[8];
  EXPECT_EQ(calls_.Recv(b, buffer, sizeof buffer, 0), 2);
  fault_ = {};
  EXPECT_EQ(calls_.Recv(b, buffer, sizeof buffer, 0), 2);
  calls_.Close(a);
  calls_.Close(b);
}

TEST_F(FaultySyscallsTest, WhatAShortenedReadLeavesIsNews) {
  const auto [a, b] = Pair();
  const int epoll_fd = calls_.EpollCreate();
  epoll_event event = {};
  event.events = EPOLLIN | EPOLLET;
  event.data.fd = b;
  ASSERT_EQ(calls_.EpollCtl(epoll_fd, EPOLL_CTL_ADD, b, &event), 0);
  EXPECT_EQ(calls_.Send(a, "abc", 3, 0), 3);
  const auto ready = [&] { return calls_.EpollWait(epoll_fd, &event, 1, absl::ZeroDuration()); };
  EXPECT_EQ(ready(), 1);
  EXPECT_EQ(ready(), 0) << "it was told once";
  char buffer[8];
  fault_.transfer_bytes_max = 2;
  EXPECT_EQ(calls_.Recv(b, buffer, sizeof buffer, 0), 2);
  EXPECT_EQ(ready(), 1);
  fault_ = {};
  EXPECT_EQ(calls_.Recv(b, buffer, sizeof buffer, 0), 1);
  EXPECT_EQ(ready(), 0);
  for (const int fd : {epoll_fd, a, b}) calls_.Close(fd);
}

TEST_F(FaultySyscallsTest, ADelayComesFirst) {
  fault_.delay = absl::Seconds(3);
  const int fd = calls_.EventFd();
  EXPECT_EQ(slept_, absl::Seconds(3));
  calls_.Close(fd);
  EXPECT_EQ(slept_, absl::Seconds(3)) << "a close does not block";
}

TEST_F(FaultySyscallsTest, TheHostsOfTheScenarioAreThisMachine) {
  addrinfo* found = nullptr;
  ASSERT_EQ(calls_.GetAddrInfo("server", "80", nullptr, &found), 0);
  EXPECT_EQ(reinterpret_cast<sockaddr_in*>(found->ai_addr)->sin_addr.s_addr,
            htonl(INADDR_LOOPBACK));
  calls_.FreeAddrInfo(found);
}

}  // namespace
}  // namespace rollcall::fault
