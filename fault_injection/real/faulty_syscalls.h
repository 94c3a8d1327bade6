// The system calls of a process, some of which go wrong because an injector says so.
#ifndef ROLLCALL_FAULT_INJECTION_REAL_FAULTY_SYSCALLS_H_
#define ROLLCALL_FAULT_INJECTION_REAL_FAULTY_SYSCALLS_H_

#include <sys/epoll.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/functional/any_invocable.h"
#include "absl/time/time.h"
#include "fault_injection/fault_point.h"
#include "fault_injection/legal_errnos.h"
#include "net/monitor.h"
#include "net/syscalls_decorator.h"

namespace rollcall::fault {

// Asks as the simulated kernel does (sim_kernel.h), and does what is asked of it as Linux would: a
// connect that is interrupted goes on in the background, a close that fails has closed. The names
// of the scenario's hosts all lead to this machine. Thread-safe if `injector` is only called
// through it, or under `monitor`, which it holds in each question.
class FaultySyscalls final : public net::SyscallsDecorator {
 public:
  // `injector` and `monitor` must outlive it. `sleep` blocks the thread for so long.
  FaultySyscalls(std::string host, std::vector<std::string> all_hosts, FaultInjector* injector,
                 net::Monitor* monitor, absl::AnyInvocable<void(absl::Duration) const> sleep);

  int Socket(int family, int type, int protocol) override;
  int Bind(int fd, const sockaddr* address, socklen_t length_bytes) override;
  int Listen(int fd, int backlog) override;
  int Accept4(int fd, sockaddr* address, socklen_t* length_bytes, int flags) override;
  int Connect(int fd, const sockaddr* address, socklen_t length_bytes) override;
  int GetSockName(int fd, sockaddr* address, socklen_t* length_bytes) override;
  int GetPeerName(int fd, sockaddr* address, socklen_t* length_bytes) override;
  int GetSockOpt(int fd, int level, int name, void* value, socklen_t* length_bytes) override;
  int SetSockOpt(int fd, int level, int name, const void* value, socklen_t length_bytes) override;
  ssize_t Recv(int fd, void* buffer, size_t size_bytes, int flags) override;
  ssize_t Send(int fd, const void* buffer, size_t size_bytes, int flags) override;
  ssize_t SendMsg(int fd, const msghdr* message, int flags) override;
  int Shutdown(int fd, int how) override;
  int Close(int fd) override;
  int GetFlags(int fd) override;
  int SetFlags(int fd, int flags) override;
  int SetCloseOnExec(int fd) override;
  int Poll(pollfd* fds, nfds_t count, absl::Duration timeout) override;
  int EpollCreate() override;
  int EpollCtl(int epoll_fd, int operation, int fd, epoll_event* event) override;
  int EpollWait(int epoll_fd, epoll_event* events, int count, absl::Duration timeout) override;
  int EventFd() override;
  int EventFdSignal(int fd) override;
  int EventFdDrain(int fd) override;
  int GetAddrInfo(const char* host, const char* service, const addrinfo* hints,
                  addrinfo** result) override;

 private:
  struct Verdict {
    int error = 0;  // An errno, or 0.
    size_t transfer_bytes_max = SIZE_MAX;
  };
  Verdict Ask(Call call, size_t size_bytes = 0, bool may_block = true);
  // A kernel gives less than is asked for only if the rest comes afterwards (epoll(7)): that is
  // news to who waits for news.
  void AnnounceRest(int fd);

  struct Watch {
    int epoll_fd = -1;
    epoll_event event = {};
  };

  const std::string host_;
  const std::vector<std::string> all_hosts_;
  FaultInjector& injector_;
  net::Monitor& monitor_;
  const absl::AnyInvocable<void(absl::Duration) const> sleep_;
  std::array<uint64_t, kCallCount> occurrences_ ABSL_GUARDED_BY(monitor_) = {};
  absl::flat_hash_map<int, Watch> watches_ ABSL_GUARDED_BY(monitor_);  // By descriptor.
};

}  // namespace rollcall::fault

#endif  // ROLLCALL_FAULT_INJECTION_REAL_FAULTY_SYSCALLS_H_
