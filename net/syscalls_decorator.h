// A table of system calls that forwards every call to another: derive from it, override the one
// call that is to fail, and hand it to SystemEnv or an epoll loop.
//
//   class FailingAccept : public net::SyscallsDecorator {
//    public:
//     using SyscallsDecorator::SyscallsDecorator;
//     int Accept4(int fd, sockaddr* address, socklen_t* length_bytes, int flags) override {
//       if (++calls_ == 3) return -EMFILE;
//       return SyscallsDecorator::Accept4(fd, address, length_bytes, flags);
//     }
//    private:
//     std::atomic<int> calls_ = 0;  // Calls come from many threads.
//   };
#ifndef ROLLCALL_NET_SYSCALLS_DECORATOR_H_
#define ROLLCALL_NET_SYSCALLS_DECORATOR_H_

#include "absl/time/time.h"
#include "net/syscalls.h"

namespace rollcall::net {

// `target` must outlive it.
class SyscallsDecorator : public Syscalls {
 public:
  explicit SyscallsDecorator(Syscalls& target = RealSyscalls()) : target_(target) {}

  int Socket(int family, int type, int protocol) override {
    return target_.Socket(family, type, protocol);
  }
  int Bind(int fd, const sockaddr* address, socklen_t length_bytes) override {
    return target_.Bind(fd, address, length_bytes);
  }
  int Listen(int fd, int backlog) override { return target_.Listen(fd, backlog); }
  int Accept4(int fd, sockaddr* address, socklen_t* length_bytes, int flags) override {
    return target_.Accept4(fd, address, length_bytes, flags);
  }
  int Connect(int fd, const sockaddr* address, socklen_t length_bytes) override {
    return target_.Connect(fd, address, length_bytes);
  }
  int GetSockName(int fd, sockaddr* address, socklen_t* length_bytes) override {
    return target_.GetSockName(fd, address, length_bytes);
  }
  int GetPeerName(int fd, sockaddr* address, socklen_t* length_bytes) override {
    return target_.GetPeerName(fd, address, length_bytes);
  }
  int GetSockOpt(int fd, int level, int name, void* value, socklen_t* length_bytes) override {
    return target_.GetSockOpt(fd, level, name, value, length_bytes);
  }
  int SetSockOpt(int fd, int level, int name, const void* value, socklen_t length_bytes) override {
    return target_.SetSockOpt(fd, level, name, value, length_bytes);
  }
  ssize_t Recv(int fd, void* buffer, size_t size_bytes, int flags) override {
    return target_.Recv(fd, buffer, size_bytes, flags);
  }
  ssize_t Send(int fd, const void* buffer, size_t size_bytes, int flags) override {
    return target_.Send(fd, buffer, size_bytes, flags);
  }
  ssize_t SendMsg(int fd, const msghdr* message, int flags) override {
    return target_.SendMsg(fd, message, flags);
  }
  int Shutdown(int fd, int how) override { return target_.Shutdown(fd, how); }
  int Close(int fd) override { return target_.Close(fd); }
  int GetFlags(int fd) override { return target_.GetFlags(fd); }
  int SetFlags(int fd, int flags) override { return target_.SetFlags(fd, flags); }
  int SetCloseOnExec(int fd) override { return target_.SetCloseOnExec(fd); }
  int Poll(pollfd* fds, nfds_t count, absl::Duration timeout) override {
    return target_.Poll(fds, count, timeout);
  }
  int EpollCreate() override { return target_.EpollCreate(); }
  int EpollCtl(int epoll_fd, int operation, int fd, epoll_event* event) override {
    return target_.EpollCtl(epoll_fd, operation, fd, event);
  }
  int EpollWait(int epoll_fd, epoll_event* events, int count, absl::Duration timeout) override {
    return target_.EpollWait(epoll_fd, events, count, timeout);
  }
  int EventFd() override { return target_.EventFd(); }
  int EventFdSignal(int fd) override { return target_.EventFdSignal(fd); }
  int EventFdDrain(int fd) override { return target_.EventFdDrain(fd); }
  int GetAddrInfo(const char* host, const char* service, const addrinfo* hints,
                  addrinfo** result) override {
    return target_.GetAddrInfo(host, service, hints, result);
  }
  void FreeAddrInfo(addrinfo* list) override { target_.FreeAddrInfo(list); }

 private:
  Syscalls& target_;
};

}  // namespace rollcall::net

#endif  // ROLLCALL_NET_SYSCALLS_DECORATOR_H_
