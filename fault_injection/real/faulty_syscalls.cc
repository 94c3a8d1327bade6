#include "fault_injection/real/faulty_syscalls.h"

#include <errno.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/algorithm/container.h"

namespace rollcall::fault {
namespace {

constexpr char kThisMachine[] = "127.0.0.1";

// The first `size_bytes` of the parts.
std::vector<iovec> Beginning(const msghdr& message, size_t size_bytes) {
  std::vector<iovec> beginning;
  for (size_t i = 0; i < message.msg_iovlen && size_bytes > 0; ++i) {
    iovec part = message.msg_iov[i];
    part.iov_len = std::min(part.iov_len, size_bytes);
    size_bytes -= part.iov_len;
    beginning.push_back(part);
  }
  return beginning;
}

}  // namespace

FaultySyscalls::FaultySyscalls(std::string host, std::vector<std::string> all_hosts,
                               FaultInjector* injector, net::Monitor* monitor,
                               absl::AnyInvocable<void(absl::Duration) const> sleep)
    : host_(std::move(host)),
      all_hosts_(std::move(all_hosts)),
      injector_(*injector),
      monitor_(*monitor),
      sleep_(std::move(sleep)) {}

FaultySyscalls::Verdict FaultySyscalls::Ask(Call call, size_t size_bytes, bool may_block) {
  const CallRow& row = RowOf(call);
  CallFault fault;
  {
    const net::MonitorLock lock(&monitor_);
    fault = injector_.OnCall({.host = host_,
                              .call = row.name,
                              .occurrence = ++occurrences_[static_cast<size_t>(call)],
                              .legal_errnos = row.legal_errnos,
                              .size_bytes = size_bytes});
  }
  if (fault.delay > absl::ZeroDuration() && may_block) sleep_(fault.delay);
  Verdict verdict{.error = fault.errno_value};
  if (fault.transfer_bytes_max.has_value() && row.may_shorten) {
    verdict.transfer_bytes_max = std::max<size_t>(*fault.transfer_bytes_max, 1);
  }
  return verdict;
}

// --- Connections ---

int FaultySyscalls::Socket(int family, int type, int protocol) {
  if (const int error = Ask(Call::kSocket).error; error > 0) return -error;
  return SyscallsDecorator::Socket(family, type, protocol);
}

int FaultySyscalls::Bind(int fd, const sockaddr* address, socklen_t length_bytes) {
  if (const int error = Ask(Call::kBind).error; error > 0) return -error;
  return SyscallsDecorator::Bind(fd, address, length_bytes);
}

int FaultySyscalls::Listen(int fd, int backlog) {
  if (const int error = Ask(Call::kListen).error; error > 0) return -error;
  return SyscallsDecorator::Listen(fd, backlog);
}

int FaultySyscalls::Accept4(int fd, sockaddr* address, socklen_t* length_bytes, int flags) {
  if (const int error = Ask(Call::kAccept).error; error > 0) return -error;
  return SyscallsDecorator::Accept4(fd, address, length_bytes, flags);
}

int FaultySyscalls::Connect(int fd, const sockaddr* address, socklen_t length_bytes) {
  const int error = Ask(Call::kConnect).error;
  const bool goes_on = error == EINTR || error == EINPROGRESS;
  if (error > 0 && !goes_on) return -error;
  const int result = SyscallsDecorator::Connect(fd, address, length_bytes);
  return goes_on && (result == 0 || result == -EINPROGRESS) ? -error : result;
}

int FaultySyscalls::GetSockName(int fd, sockaddr* address, socklen_t* length_bytes) {
  if (const int error = Ask(Call::kGetSockName).error; error > 0) return -error;
  return SyscallsDecorator::GetSockName(fd, address, length_bytes);
}

int FaultySyscalls::GetPeerName(int fd, sockaddr* address, socklen_t* length_bytes) {
  if (const int error = Ask(Call::kGetPeerName).error; error > 0) return -error;
  return SyscallsDecorator::GetPeerName(fd, address, length_bytes);
}

int FaultySyscalls::GetSockOpt(int fd, int level, int name, void* value, socklen_t* length_bytes) {
  if (const int error = Ask(Call::kGetSockOpt).error; error > 0) return -error;
  return SyscallsDecorator::GetSockOpt(fd, level, name, value, length_bytes);
}

int FaultySyscalls::SetSockOpt(int fd, int level, int name, const void* value,
                               socklen_t length_bytes) {
  if (const int error = Ask(Call::kSetSockOpt).error; error > 0) return -error;
  return SyscallsDecorator::SetSockOpt(fd, level, name, value, length_bytes);
}

ssize_t FaultySyscalls::Recv(int fd, void* buffer, size_t size_bytes, int flags) {
  const Verdict verdict = Ask(Call::kRecv, size_bytes);
  if (verdict.error > 0) return -verdict.error;
  const ssize_t result =
      SyscallsDecorator::Recv(fd, buffer, std::min(size_bytes, verdict.transfer_bytes_max), flags);
  if (result > 0 && verdict.transfer_bytes_max < size_bytes) AnnounceRest(fd);
  return result;
}

void FaultySyscalls::AnnounceRest(int fd) {
  const net::MonitorLock lock(&monitor_);
  const auto watch = watches_.find(fd);
  if (watch == watches_.end()) return;
  SyscallsDecorator::EpollCtl(watch->second.epoll_fd, EPOLL_CTL_MOD, fd, &watch->second.event);
}

ssize_t FaultySyscalls::Send(int fd, const void* buffer, size_t size_bytes, int flags) {
  const Verdict verdict = Ask(Call::kSend, size_bytes);
  if (verdict.error > 0) return -verdict.error;
  return SyscallsDecorator::Send(fd, buffer, std::min(size_bytes, verdict.transfer_bytes_max),
                                 flags);
}

ssize_t FaultySyscalls::SendMsg(int fd, const msghdr* message, int flags) {
  size_t size_bytes = 0;
  for (size_t i = 0; i < message->msg_iovlen; ++i) size_bytes += message->msg_iov[i].iov_len;
  const Verdict verdict = Ask(Call::kSendMsg, size_bytes);
  if (verdict.error > 0) return -verdict.error;
  if (verdict.transfer_bytes_max >= size_bytes) {
    return SyscallsDecorator::SendMsg(fd, message, flags);
  }
  std::vector<iovec> parts = Beginning(*message, verdict.transfer_bytes_max);
  msghdr shortened = *message;
  shortened.msg_iov = parts.data();
  shortened.msg_iovlen = parts.size();
  return SyscallsDecorator::SendMsg(fd, &shortened, flags);
}

int FaultySyscalls::Shutdown(int fd, int how) {
  if (const int error = Ask(Call::kShutdown).error; error > 0) return -error;
  return SyscallsDecorator::Shutdown(fd, how);
}

int FaultySyscalls::Close(int fd) {
  const int error = Ask(Call::kClose, 0, /*may_block=*/false).error;
  const int result = SyscallsDecorator::Close(fd);
  return error > 0 && result == 0 ? -error : result;
}

// --- Descriptors ---

int FaultySyscalls::GetFlags(int fd) {
  if (const int error = Ask(Call::kFcntl).error; error > 0) return -error;
  return SyscallsDecorator::GetFlags(fd);
}

int FaultySyscalls::SetFlags(int fd, int flags) {
  if (const int error = Ask(Call::kFcntl).error; error > 0) return -error;
  return SyscallsDecorator::SetFlags(fd, flags);
}

int FaultySyscalls::SetCloseOnExec(int fd) {
  if (const int error = Ask(Call::kFcntl).error; error > 0) return -error;
  return SyscallsDecorator::SetCloseOnExec(fd);
}

int FaultySyscalls::Poll(pollfd* fds, nfds_t count, absl::Duration timeout) {
  if (const int error = Ask(Call::kPoll).error; error > 0) return -error;
  return SyscallsDecorator::Poll(fds, count, timeout);
}

int FaultySyscalls::EpollCreate() {
  if (const int error = Ask(Call::kEpollCreate).error; error > 0) return -error;
  return SyscallsDecorator::EpollCreate();
}

int FaultySyscalls::EpollCtl(int epoll_fd, int operation, int fd, epoll_event* event) {
  if (const int error = Ask(Call::kEpollCtl).error; error > 0) return -error;
  const int result = SyscallsDecorator::EpollCtl(epoll_fd, operation, fd, event);
  const net::MonitorLock lock(&monitor_);
  if (operation == EPOLL_CTL_DEL) {
    watches_.erase(fd);
  } else if (result == 0) {
    watches_[fd] = {epoll_fd, *event};
  }
  return result;
}

int FaultySyscalls::EpollWait(int epoll_fd, epoll_event* events, int count,
                              absl::Duration timeout) {
  if (const int error = Ask(Call::kEpollWait).error; error > 0) return -error;
  return SyscallsDecorator::EpollWait(epoll_fd, events, count, timeout);
}

int FaultySyscalls::EventFd() {
  if (const int error = Ask(Call::kEventFd).error; error > 0) return -error;
  return SyscallsDecorator::EventFd();
}

int FaultySyscalls::EventFdSignal(int fd) {
  const int error = Ask(Call::kEventFdSignal).error;
  // A counter that is full is not zero: whoever waits for it wakes.
  if (error == EAGAIN) SyscallsDecorator::EventFdSignal(fd);
  if (error > 0) return -error;
  return SyscallsDecorator::EventFdSignal(fd);
}

int FaultySyscalls::EventFdDrain(int fd) {
  if (const int error = Ask(Call::kEventFdDrain).error; error > 0) return -error;
  return SyscallsDecorator::EventFdDrain(fd);
}

int FaultySyscalls::GetAddrInfo(const char* host, const char* service, const addrinfo* hints,
                                addrinfo** result) {
  // The table has the EAI_ codes with their sign turned.
  if (const int error = Ask(Call::kGetAddrInfo).error; error > 0) return -error;
  const bool is_here = host != nullptr && absl::c_linear_search(all_hosts_, std::string(host));
  return SyscallsDecorator::GetAddrInfo(is_here ? kThisMachine : host, service, hints, result);
}

}  // namespace rollcall::fault
