#include "net/syscalls.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <climits>
#include <ctime>

namespace rollcall::net {
namespace {

template <typename T>
T OrMinusErrno(T result) {
  return result < 0 ? static_cast<T>(-errno) : result;
}

// In a program with threads glibc makes each send and recv a point at which its thread can be
// cancelled, by two locked instructions: 3 to 4 % of what a server spends on a small request. No
// thread that is here is ever cancelled. A sanitizer has to see what these two read and write, and
// so gets glibc's.
#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define ROLLCALL_SANITIZED 1
#endif
#elif defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define ROLLCALL_SANITIZED 1
#endif
#ifdef ROLLCALL_SANITIZED
ssize_t Receive(int fd, void* buffer, size_t size_bytes, int flags) {
  return ::recv(fd, buffer, size_bytes, flags);
}
ssize_t Transmit(int fd, const void* buffer, size_t size_bytes, int flags) {
  return ::send(fd, buffer, size_bytes, flags);
}
#else
ssize_t Receive(int fd, void* buffer, size_t size_bytes, int flags) {
  return ::syscall(SYS_recvfrom, fd, buffer, size_bytes, flags, nullptr, nullptr);
}
ssize_t Transmit(int fd, const void* buffer, size_t size_bytes, int flags) {
  return ::syscall(SYS_sendto, fd, buffer, size_bytes, flags, nullptr, 0);
}
#endif

// absl::ToTimespec rounds towards the past; a wait that ends a nanosecond early would be taken for
// a time-out that came too soon.
timespec RoundedUp(absl::Duration timeout) {
  return absl::ToTimespec(
      absl::Ceil(std::max(timeout, absl::ZeroDuration()), absl::Nanoseconds(1)));
}

int RoundedUpMilliseconds(absl::Duration timeout) {
  if (timeout == absl::InfiniteDuration()) return -1;
  const int64_t milliseconds = absl::ToInt64Milliseconds(
      absl::Ceil(std::max(timeout, absl::ZeroDuration()), absl::Milliseconds(1)));
  return static_cast<int>(std::min<int64_t>(milliseconds, INT_MAX));
}

class KernelSyscalls final : public Syscalls {
 public:
  int Socket(int family, int type, int protocol) override {
    return OrMinusErrno(::socket(family, type, protocol));
  }
  int Bind(int fd, const sockaddr* address, socklen_t length_bytes) override {
    return OrMinusErrno(::bind(fd, address, length_bytes));
  }
  int Listen(int fd, int backlog) override { return OrMinusErrno(::listen(fd, backlog)); }
  int Accept4(int fd, sockaddr* address, socklen_t* length_bytes, int flags) override {
    return OrMinusErrno(::accept4(fd, address, length_bytes, flags));
  }
  int Connect(int fd, const sockaddr* address, socklen_t length_bytes) override {
    return OrMinusErrno(::connect(fd, address, length_bytes));
  }
  int GetSockName(int fd, sockaddr* address, socklen_t* length_bytes) override {
    return OrMinusErrno(::getsockname(fd, address, length_bytes));
  }
  int GetPeerName(int fd, sockaddr* address, socklen_t* length_bytes) override {
    return OrMinusErrno(::getpeername(fd, address, length_bytes));
  }
  int GetSockOpt(int fd, int level, int name, void* value, socklen_t* length_bytes) override {
    return OrMinusErrno(::getsockopt(fd, level, name, value, length_bytes));
  }
  int SetSockOpt(int fd, int level, int name, const void* value, socklen_t length_bytes) override {
    return OrMinusErrno(::setsockopt(fd, level, name, value, length_bytes));
  }
  ssize_t Recv(int fd, void* buffer, size_t size_bytes, int flags) override {
    return OrMinusErrno(Receive(fd, buffer, size_bytes, flags));
  }
  ssize_t Send(int fd, const void* buffer, size_t size_bytes, int flags) override {
    return OrMinusErrno(Transmit(fd, buffer, size_bytes, flags));
  }
  ssize_t SendMsg(int fd, const msghdr* message, int flags) override {
    return OrMinusErrno(::sendmsg(fd, message, flags));
  }
  int Shutdown(int fd, int how) override { return OrMinusErrno(::shutdown(fd, how)); }
  int Close(int fd) override { return OrMinusErrno(::close(fd)); }
  int GetFlags(int fd) override { return OrMinusErrno(::fcntl(fd, F_GETFL)); }
  int SetFlags(int fd, int flags) override { return OrMinusErrno(::fcntl(fd, F_SETFL, flags)); }
  int SetCloseOnExec(int fd) override { return OrMinusErrno(::fcntl(fd, F_SETFD, FD_CLOEXEC)); }

  int Poll(pollfd* fds, nfds_t count, absl::Duration timeout) override {
    if (timeout == absl::InfiniteDuration()) {
      return OrMinusErrno(::ppoll(fds, count, nullptr, nullptr));
    }
    const timespec limit = RoundedUp(timeout);
    return OrMinusErrno(::ppoll(fds, count, &limit, nullptr));
  }

  int EpollCreate() override { return OrMinusErrno(::epoll_create1(EPOLL_CLOEXEC)); }
  int EpollCtl(int epoll_fd, int operation, int fd, epoll_event* event) override {
    return OrMinusErrno(::epoll_ctl(epoll_fd, operation, fd, event));
  }
  int EpollWait(int epoll_fd, epoll_event* events, int count, absl::Duration timeout) override {
    if (!lacks_epoll_pwait2_.load(std::memory_order_relaxed)) {
      const timespec limit = RoundedUp(timeout);
      const int result = OrMinusErrno(
          ::epoll_pwait2(epoll_fd, events, count,
                         timeout == absl::InfiniteDuration() ? nullptr : &limit, nullptr));
      // Before Linux 5.11 it is missing, and a container's filter may not know it.
      if (result != -ENOSYS && result != -EPERM) return result;
      lacks_epoll_pwait2_.store(true, std::memory_order_relaxed);
    }
    return OrMinusErrno(::epoll_wait(epoll_fd, events, count, RoundedUpMilliseconds(timeout)));
  }

  int EventFd() override { return OrMinusErrno(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)); }
  int EventFdSignal(int fd) override {
    const uint64_t one = 1;
    return static_cast<int>(OrMinusErrno(::write(fd, &one, sizeof(one))));
  }
  int EventFdDrain(int fd) override {
    uint64_t counter = 0;
    return static_cast<int>(OrMinusErrno(::read(fd, &counter, sizeof(counter))));
  }

  int GetAddrInfo(const char* host, const char* service, const addrinfo* hints,
                  addrinfo** result) override {
    return ::getaddrinfo(host, service, hints, result);
  }
  void FreeAddrInfo(addrinfo* list) override { ::freeaddrinfo(list); }

 private:
  std::atomic<bool> lacks_epoll_pwait2_ = false;
};

}  // namespace

Syscalls& RealSyscalls() {
  static KernelSyscalls* const syscalls = new KernelSyscalls;
  return *syscalls;
}

}  // namespace rollcall::net
