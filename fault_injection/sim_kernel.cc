#include "fault_injection/sim_kernel.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>

#include <algorithm>
#include <exception>
#include <utility>

#include "absl/container/inlined_vector.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "fault_injection/fault_point.h"
#include "fault_injection/sim_epoll.h"
#include "fault_injection/sim_fabric.h"
#include "fault_injection/sim_file.h"
#include "fault_injection/sim_tcp.h"
#include "glog/logging.h"
#include "net/net_error.h"

namespace rollcall::fault {
namespace {

constexpr int kFirstDescriptor = 3;  // After standard input, output and error.

// The end of every call: what takes no time is done, also if the call is left by an exception.
class Settling {
 public:
  explicit Settling(SimFabric* fabric) : fabric_(*fabric) {}
  ~Settling() { fabric_.Settle(); }

 private:
  SimFabric& fabric_;
};

// Whether a call is worth a change of fibers before it, by Call.
constexpr std::array<bool, kCallCount> kIsMeetingPoint = [] {
  std::array<bool, kCallCount> is_one = {};
  for (const Call call :
       {Call::kBind, Call::kListen, Call::kAccept, Call::kConnect, Call::kRecv, Call::kSend,
        Call::kSendMsg, Call::kShutdown, Call::kPoll, Call::kEpollWait, Call::kEventFdSignal}) {
    is_one[static_cast<size_t>(call)] = true;
  }
  return is_one;
}();

uint32_t EpollBitsOf(short poll_events) { return static_cast<uint16_t>(poll_events); }

absl::Time DeadlineOf(SimFabric& fabric, absl::Duration timeout) {
  if (timeout == absl::InfiniteDuration()) return absl::InfiniteFuture();
  return fabric.Now() + std::max(timeout, absl::ZeroDuration());
}

}  // namespace

SimKernel::SimKernel(SimHost* host, SimNames* names)
    : host_(*host),
      fabric_(host->fabric()),
      names_(*names),
      injector_(fabric_.injector()),
      yields_(fabric_.options().yields),
      first_descriptor_(kFirstDescriptor),
      lowest_free_(kFirstDescriptor) {}

SimKernel::~SimKernel() {
  for (SimEpoll* epoll : std::exchange(epolls_, {})) delete epoll;
  for (SimFile* file : files_) {
    // The network owns the sockets.
    if (file != nullptr && file->kind() == SimFile::Kind::kEventFd) delete file;
  }
}

const std::string& SimKernel::host_name() const { return host_.name(); }

HostUsage SimKernel::usage() const {
  HostUsage usage;
  usage.descriptors = static_cast<int>(
      std::count_if(files_.begin(), files_.end(), [](SimFile* file) { return file != nullptr; }));
  for (TcpSocket* socket : fabric_.sockets()) {
    if (&socket->host() != &host_) continue;
    usage.connections += socket->state() == TcpState::kEstablished;
    usage.listeners += socket->state() == TcpState::kListen;
    usage.buffered_bytes += socket->buffered_bytes();
  }
  return usage;
}

// --- What every call does ---

void SimKernel::BlockDead() {
  Scheduler& scheduler = fabric_.scheduler();
  if (scheduler.current() == 0 || std::uncaught_exceptions() > 0) return;
  while (true) scheduler.Block(absl::InfiniteFuture(), "nothing: its process is dead");
}

SimKernel::Verdict SimKernel::EnterSlowly(Call call, size_t size_bytes, bool may_block) {
  if (IsProcessDead(may_block)) return {.error = EBADF};
  if (may_block && kIsMeetingPoint[static_cast<size_t>(call)] && yields_) {
    fabric_.scheduler().Yield(RowOf(call).name);
    if (IsProcessDead(may_block)) return {.error = EBADF};
  }
  return injector_ == nullptr ? Verdict{} : AskInjector(call, size_bytes, may_block);
}

SimKernel::Verdict SimKernel::AskInjector(Call call, size_t size_bytes, bool may_block) {
  const CallRow& row = RowOf(call);
  const CallFault fault = injector_->OnCall({.host = host_.name(),
                                             .call = row.name,
                                             .occurrence = occurrences_[static_cast<size_t>(call)],
                                             .legal_errnos = row.legal_errnos,
                                             .size_bytes = size_bytes,
                                             .actor = fabric_.scheduler().current_actor()});
  if (fabric_.observer() != nullptr) ObserveCallFault(row, fault);
  if (fault.delay > absl::ZeroDuration() && may_block && fabric_.scheduler().current() != 0) {
    const absl::Time end = fabric_.Now() + fault.delay;
    while (fabric_.Now() < end) fabric_.scheduler().Block(end, row.name);
    if (IsProcessDead(may_block)) return {.error = EBADF};
  }
  Verdict verdict{.error = fault.errno_value};
  if (fault.transfer_bytes_max.has_value() && row.may_shorten) {
    verdict.transfer_bytes_max = std::max<size_t>(*fault.transfer_bytes_max, 1);
  }
  return verdict;
}

void SimKernel::ObserveCallFault(const CallRow& row, const CallFault& fault) {
  std::vector<std::string> parts;
  if (fault.errno_value > 0) {
    const bool is_look_up = row.call == Call::kGetAddrInfo;
    parts.push_back(absl::StrCat("fails: ", is_look_up ? gai_strerror(-fault.errno_value)
                                                       : net::ErrnoName(fault.errno_value)));
  }
  if (fault.transfer_bytes_max.has_value() && row.may_shorten) {
    parts.push_back(absl::StrCat("moves at most ", *fault.transfer_bytes_max, " bytes"));
  }
  if (fault.delay > absl::ZeroDuration()) {
    parts.push_back(absl::StrCat("is delayed by ", absl::FormatDuration(fault.delay)));
  }
  if (parts.empty()) return;
  const std::string text =
      absl::StrCat(host_.name(), ": ", row.name, " ", absl::StrJoin(parts, ", "));
  fabric_.observer()->OnFault({NetFaultKind::kCallFault, fabric_.Now(), host_.name(), {}, text});
}

// --- Descriptors ---

SimEpoll* SimKernel::EpollOf(int fd, int* error) const {
  SimFile* const file = FileOf(fd);
  if (file == nullptr) {
    *error = -EBADF;
  } else if (file->kind() != SimFile::Kind::kEpoll) {
    *error = -EINVAL;
  } else {
    return static_cast<SimEpoll*>(file);
  }
  return nullptr;
}

int SimKernel::FindDescriptor() {
  int fd = lowest_free_;
  while (static_cast<size_t>(fd) < files_.size() && files_[fd] != nullptr) ++fd;
  lowest_free_ = fd;
  // Descriptors of processes that have died do not count.
  return fd - first_descriptor_ + kFirstDescriptor < host_.options().descriptors_max ? fd : -EMFILE;
}

int SimKernel::Install(int fd, SimFile* file) {
  if (static_cast<size_t>(fd) >= files_.size()) files_.resize(fd + 1);
  files_[fd] = file;
  file->Ref();
  lowest_free_ = fd + 1;
  return fd;
}

int SimKernel::Close(int fd) {
  const Verdict verdict = Enter(Call::kClose, 0, /*may_block=*/false);
  const Settling settling(&fabric_);
  SimFile* const file = FileOf(fd);
  if (file == nullptr) return -EBADF;
  files_[fd] = nullptr;
  lowest_free_ = std::min(lowest_free_, fd);
  for (SimEpoll* epoll : epolls_) epoll->Forget(fd);
  if (file->kind() == SimFile::Kind::kEpoll) {
    epolls_.erase(std::find(epolls_.begin(), epolls_.end(), static_cast<SimEpoll*>(file)));
  }
  file->Unref();
  return -verdict.error;
}

int SimKernel::GetFlags(int fd) {
  if (const int error = Enter(Call::kFcntl).error; error > 0) return -error;
  const SimFile* const file = FileOf(fd);
  if (file == nullptr) return -EBADF;
  return O_RDWR | (file->nonblocking() ? O_NONBLOCK : 0);
}

int SimKernel::SetFlags(int fd, int flags) {
  if (const int error = Enter(Call::kFcntl).error; error > 0) return -error;
  SimFile* const file = FileOf(fd);
  if (file == nullptr) return -EBADF;
  file->set_nonblocking((flags & O_NONBLOCK) != 0);
  return 0;
}

int SimKernel::SetCloseOnExec(int fd) {
  if (const int error = Enter(Call::kFcntl).error; error > 0) return -error;
  return FileOf(fd) == nullptr ? -EBADF : 0;
}

// --- Readiness ---

int SimKernel::CheckReady(pollfd* fds, nfds_t count) const {
  int ready = 0;
  for (nfds_t i = 0; i < count; ++i) {
    fds[i].revents = 0;
    if (fds[i].fd < 0) continue;
    SimFile* const file = FileOf(fds[i].fd);
    const uint32_t wanted = EpollBitsOf(fds[i].events) | EPOLLERR | EPOLLHUP;
    fds[i].revents = file == nullptr ? POLLNVAL : static_cast<short>(file->Readiness() & wanted);
    ready += fds[i].revents != 0;
  }
  return ready;
}

int SimKernel::Poll(pollfd* fds, nfds_t count, absl::Duration timeout) {
  if (const int error = Enter(Call::kPoll).error; error > 0) return -error;
  const Settling settling(&fabric_);
  const absl::Time deadline = DeadlineOf(fabric_, timeout);
  while (true) {
    const int ready = CheckReady(fds, count);
    if (ready > 0 || fabric_.Now() >= deadline) return ready;
    // A copy: others may close the descriptors meanwhile.
    struct Wait {
      Wait(SimFile* file, Scheduler* scheduler, uint32_t events)
          : reference(file), waiter(scheduler, events) {
        waiter.AttachTo(file);
      }
      FileRef reference;
      FiberWaiter waiter;
    };
    absl::InlinedVector<std::unique_ptr<Wait>, 4> waits;
    for (nfds_t i = 0; i < count; ++i) {
      if (fds[i].fd < 0) continue;
      waits.push_back(std::make_unique<Wait>(FileOf(fds[i].fd), &fabric_.scheduler(),
                                             EpollBitsOf(fds[i].events) | EPOLLERR | EPOLLHUP));
    }
    fabric_.scheduler().Block(deadline, "poll");
    if (IsProcessDead(/*may_block=*/true)) return -EBADF;
  }
}

int SimKernel::EpollCreate() {
  if (const int error = Enter(Call::kEpollCreate).error; error > 0) return -error;
  const int fd = FindDescriptor();
  if (fd < 0) return fd;
  epolls_.push_back(new SimEpoll(&fabric_.scheduler()));
  return Install(fd, epolls_.back());
}

int SimKernel::EpollCtl(int epoll_fd, int operation, int fd, epoll_event* event) {
  if (const int error = Enter(Call::kEpollCtl).error; error > 0) return -error;
  int error = 0;
  SimFile* const file = FileOf(fd);
  if (file == nullptr) return -EBADF;
  SimEpoll* const epoll = EpollOf(epoll_fd, &error);
  return epoll == nullptr ? error : epoll->Control(operation, fd, file, event);
}

int SimKernel::EpollWait(int epoll_fd, epoll_event* events, int count, absl::Duration timeout) {
  if (const int error = Enter(Call::kEpollWait).error; error > 0) return -error;
  const Settling settling(&fabric_);
  int error = 0;
  SimEpoll* const epoll = EpollOf(epoll_fd, &error);
  if (epoll == nullptr) return error;
  if (count <= 0) return -EINVAL;
  const FileRef reference(epoll);
  const int result = epoll->Wait(events, count, DeadlineOf(fabric_, timeout));
  return IsProcessDead(/*may_block=*/true) ? -EBADF : result;
}

int SimKernel::EventFd() {
  if (const int error = Enter(Call::kEventFd).error; error > 0) return -error;
  const int fd = FindDescriptor();
  return fd < 0 ? fd : Install(fd, new SimEventFd(&fabric_.scheduler()));
}

int SimKernel::EventFdSignal(int fd) {
  const int error = Enter(Call::kEventFdSignal).error;
  // The counter is full, which is to say not zero.
  if (error > 0 && error != EAGAIN) return -error;
  SimFile* const file = FileOf(fd);
  if (file == nullptr) return -EBADF;
  if (file->kind() != SimFile::Kind::kEventFd) return -EINVAL;
  const int result = static_cast<SimEventFd*>(file)->Signal();
  return error > 0 ? -error : result;
}

int SimKernel::EventFdDrain(int fd) {
  if (const int error = Enter(Call::kEventFdDrain).error; error > 0) return -error;
  SimFile* const file = FileOf(fd);
  if (file == nullptr) return -EBADF;
  if (file->kind() != SimFile::Kind::kEventFd) return -EINVAL;
  return static_cast<SimEventFd*>(file)->Drain();
}

// --- Names ---

int SimKernel::GetAddrInfo(const char* host, const char* service, const addrinfo* hints,
                           addrinfo** result) {
  if (const int error = Enter(Call::kGetAddrInfo).error; error > 0) return -error;
  const absl::Duration delay =
      fabric_.options().look_up_latency + names_.DelayOf(host == nullptr ? "" : host);
  if (delay > absl::ZeroDuration()) {
    const absl::Time end = fabric_.Now() + delay;
    while (fabric_.Now() < end) fabric_.scheduler().Block(end, "the host table");
    if (IsProcessDead(/*may_block=*/true)) return EAI_FAIL;
  }
  return names_.LookUp(host, service, hints, result);
}

void SimKernel::FreeAddrInfo(addrinfo* list) { SimNames::Free(list); }

// --- Ends ---

void SimKernel::ExitProcess() {
  const Settling settling(&fabric_);
  is_process_dead_ = true;
  for (size_t fd = 0; fd < files_.size(); ++fd) {
    SimFile* const file = std::exchange(files_[fd], nullptr);
    if (file == nullptr) continue;
    for (SimEpoll* epoll : epolls_) epoll->Forget(static_cast<int>(fd));
    if (file->kind() == SimFile::Kind::kEpoll) {
      epolls_.erase(std::find(epolls_.begin(), epolls_.end(), static_cast<SimEpoll*>(file)));
    }
    file->Unref();
  }
}

void SimKernel::Crash() {
  host_.set_up(false);
  const std::vector<TcpSocket*> sockets(fabric_.sockets().begin(), fabric_.sockets().end());
  for (TcpSocket* socket : sockets) {
    if (&socket->host() == &host_) socket->Vanish();
  }
  ExitProcess();
}

// Numbers of the dead are not given out again: what is left of a dead process must not close what
// the next one has opened.
void SimKernel::Restart() {
  host_.set_up(true);
  is_process_dead_ = false;
  first_descriptor_ = lowest_free_ = std::max(kFirstDescriptor, static_cast<int>(files_.size()));
}

}  // namespace rollcall::fault
