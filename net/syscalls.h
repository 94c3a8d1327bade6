// The system calls under the network, one virtual method each and nothing more, so that a test
// makes the n-th accept fail with EMFILE on real sockets, and a simulator puts a kernel of its own
// below the very code that runs in production.
#ifndef ROLLCALL_NET_SYSCALLS_H_
#define ROLLCALL_NET_SYSCALLS_H_

#include <netdb.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <sys/uio.h>

#include <cstdint>

#include "absl/time/time.h"

namespace rollcall::net {

// Every method behaves as the Linux call of its name, but returns -errno instead of -1 and errno:
// errno is easily overwritten between the call and the test. Thread-safe.
class Syscalls {
 public:
  virtual ~Syscalls() = default;

  virtual int Socket(int family, int type, int protocol) = 0;
  virtual int Bind(int fd, const sockaddr* address, socklen_t length_bytes) = 0;
  virtual int Listen(int fd, int backlog) = 0;
  virtual int Accept4(int fd, sockaddr* address, socklen_t* length_bytes, int flags) = 0;
  virtual int Connect(int fd, const sockaddr* address, socklen_t length_bytes) = 0;
  virtual int GetSockName(int fd, sockaddr* address, socklen_t* length_bytes) = 0;
  virtual int GetPeerName(int fd, sockaddr* address, socklen_t* length_bytes) = 0;
  virtual int GetSockOpt(int fd, int level, int name, void* value, socklen_t* length_bytes) = 0;
  virtual int SetSockOpt(int fd, int level, int name, const void* value,
                         socklen_t length_bytes) = 0;
  // On a blocking socket, without MSG_DONTWAIT, it blocks for as long as SO_RCVTIMEO says (then
  // -EAGAIN).
  virtual ssize_t Recv(int fd, void* buffer, size_t size_bytes, int flags) = 0;
  virtual ssize_t Send(int fd, const void* buffer, size_t size_bytes, int flags) = 0;
  virtual ssize_t SendMsg(int fd, const msghdr* message, int flags) = 0;
  virtual int Shutdown(int fd, int how) = 0;
  virtual int Close(int fd) = 0;
  // F_GETFL and F_SETFL of fcntl.
  virtual int GetFlags(int fd) = 0;
  virtual int SetFlags(int fd, int flags) = 0;
  // F_SETFD of fcntl with FD_CLOEXEC.
  virtual int SetCloseOnExec(int fd) = 0;
  // As ppoll: the time-out is rounded up to what the clock can say; InfiniteDuration() waits for
  // ever.
  virtual int Poll(pollfd* fds, nfds_t count, absl::Duration timeout) = 0;
  virtual int EpollCreate() = 0;
  virtual int EpollCtl(int epoll_fd, int operation, int fd, epoll_event* event) = 0;
  virtual int EpollWait(int epoll_fd, epoll_event* events, int count, absl::Duration timeout) = 0;
  // An eventfd: EFD_NONBLOCK | EFD_CLOEXEC. Read and write its counter.
  virtual int EventFd() = 0;
  virtual int EventFdSignal(int fd) = 0;
  virtual int EventFdDrain(int fd) = 0;
  // As getaddrinfo (blocking), with its EAI_* result, not an errno. The list is freed with
  // FreeAddrInfo.
  virtual int GetAddrInfo(const char* host, const char* service, const addrinfo* hints,
                          addrinfo** result) = 0;
  virtual void FreeAddrInfo(addrinfo* list) = 0;
};

// The kernel's own. Lives for ever.
Syscalls& RealSyscalls();

}  // namespace rollcall::net

#endif  // ROLLCALL_NET_SYSCALLS_H_
