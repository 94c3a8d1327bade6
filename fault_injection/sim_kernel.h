// The kernel of one simulated host: the system calls that production code makes, on the simulated
// network. Made by SimNet::AddHost.
#ifndef ROLLCALL_FAULT_INJECTION_SIM_KERNEL_H_
#define ROLLCALL_FAULT_INJECTION_SIM_KERNEL_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "fault_injection/fault_point.h"
#include "fault_injection/legal_errnos.h"
#include "fault_injection/sim_names.h"
#include "net/syscalls.h"

namespace rollcall::fault {

class SimFabric;
class SimFile;
class SimHost;
class SimEpoll;
class TcpSocket;

// What a host holds: a leak is what is left when nobody should hold anything.
struct HostUsage {
  int descriptors = 0;  // Open ones.
  int connections = 0;  // Established, those included that nobody has a descriptor of.
  int listeners = 0;
  size_t buffered_bytes = 0;  // In its sockets, to be read or to be sent.
};

// Every call behaves as Linux does, -errno included; those that can block do so through the
// Scheduler, and so must come from a fiber. Before it acts, each fallible call asks the network's
// FaultInjector. Where a test's outcome may hang on who runs first, a call yields.
//
// The host runs one process at a time. After SimNet::CrashHost or ExitProcess, what is left of its
// fibers is dead: their calls block for ever, except for Close, and except while an exception
// unwinds them; then the calls fail with EBADF. Kill them before RestartHost.
//
// Not simulated: signals (send never raises SIGPIPE), out-of-band bytes, datagrams, dup and fork.
class SimKernel final : public net::Syscalls {
 public:
  SimKernel(SimHost* host, SimNames* names);
  ~SimKernel() override;

  const std::string& host_name() const;
  HostUsage usage() const;
  // How often `call` has been made, faults included.
  uint64_t calls(Call call) const { return occurrences_[static_cast<size_t>(call)]; }

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
  void FreeAddrInfo(addrinfo* list) override;

 private:
  friend class SimNet;

  // What a fault has left of a call.
  struct Verdict {
    int error = 0;  // > 0: fail with it.
    size_t transfer_bytes_max = SIZE_MAX;
  };

  // The beginning of every call: counts it, lets others run, asks the injector.
  Verdict Enter(Call call, size_t size_bytes = 0, bool may_block = true) {
    ++occurrences_[static_cast<size_t>(call)];
    if (!is_process_dead_ && injector_ == nullptr && !yields_) return {};
    return EnterSlowly(call, size_bytes, may_block);
  }
  Verdict EnterSlowly(Call call, size_t size_bytes, bool may_block);
  Verdict AskInjector(Call call, size_t size_bytes, bool may_block);
  void ObserveCallFault(const CallRow& row, const CallFault& fault);
  bool IsProcessDead(bool may_block) {
    if (is_process_dead_ && may_block) BlockDead();
    return is_process_dead_;
  }
  // For ever, unless the caller cannot block.
  void BlockDead();

  SimFile* FileOf(int fd) const {
    return fd >= 0 && static_cast<size_t>(fd) < files_.size() ? files_[fd] : nullptr;
  }
  // Null, with *error set to EBADF or ENOTSOCK.
  TcpSocket* SocketOf(int fd, int* error) const;
  SimEpoll* EpollOf(int fd, int* error) const;
  // The number of a new descriptor, or -EMFILE.
  int FindDescriptor();
  int Install(int fd, SimFile* file);
  int CheckReady(pollfd* fds, nfds_t count) const;
  // As the death of the process does: closes every descriptor.
  void ExitProcess();
  // As the loss of power does: nobody is told.
  void Crash();
  void Restart();

  SimHost& host_;
  SimFabric& fabric_;
  SimNames& names_;
  // The network's.
  FaultInjector* const& injector_;
  const bool yields_;
  std::vector<SimFile*> files_;  // By descriptor; null: free.
  std::vector<SimEpoll*> epolls_;
  int first_descriptor_;
  int lowest_free_;
  bool is_process_dead_ = false;
  std::array<uint64_t, kCallCount> occurrences_ = {};
};

}  // namespace rollcall::fault

#endif  // ROLLCALL_FAULT_INJECTION_SIM_KERNEL_H_
