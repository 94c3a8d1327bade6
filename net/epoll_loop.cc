#include "net/epoll_loop.h"

#include <cerrno>

#include "absl/strings/str_cat.h"
#include "glog/logging.h"
#include "net/net_error.h"

namespace rollcall::net {
namespace {

uint32_t EpollEventsOf(uint8_t interest) {
  // EPOLLRDHUP only while reading: level-triggered, it would repeat for ever on a paused stream.
  return ((interest & kReadable) ? EPOLLIN | EPOLLRDHUP : 0u) |
         ((interest & kWritable) ? EPOLLOUT : 0u) | ((interest & kNewsOnly) ? EPOLLET : 0u);
}

uint8_t ReadinessOf(uint32_t epoll_events) {
  uint8_t readiness = 0;
  if (epoll_events & EPOLLIN) readiness |= kReadable;
  if (epoll_events & EPOLLOUT) readiness |= kWritable;
  if (epoll_events & EPOLLRDHUP) readiness |= kPeerEnded;
  if (epoll_events & (EPOLLERR | EPOLLHUP)) readiness |= kBroken;
  return readiness;
}

absl::Status CreationError(absl::string_view call, int result) {
  return ErrnoError(absl::StrCat("making an event loop: ", call), -result, Phase::kOther);
}

}  // namespace

absl::StatusOr<std::unique_ptr<EpollLoop>> EpollLoop::New(Syscalls* syscalls, Clock* clock) {
  const int epoll_fd = syscalls->EpollCreate();
  if (epoll_fd < 0) return CreationError("epoll_create1", epoll_fd);
  const int wake_fd = syscalls->EventFd();
  if (wake_fd < 0) {
    syscalls->Close(epoll_fd);
    return CreationError("eventfd", wake_fd);
  }
  // Owns both descriptors from here on.
  std::unique_ptr<EpollLoop> loop(new EpollLoop(syscalls, clock, epoll_fd, wake_fd));
  epoll_event wake_up = {};
  wake_up.events = EPOLLIN;
  wake_up.data.ptr = const_cast<int*>(&loop->wake_fd_);  // No watcher has this address.
  const int result = syscalls->EpollCtl(epoll_fd, EPOLL_CTL_ADD, wake_fd, &wake_up);
  if (result < 0) return CreationError("epoll_ctl", result);
  return loop;
}

EpollLoop::EpollLoop(Syscalls* syscalls, Clock* clock, int epoll_fd, int wake_fd)
    : SocketLoop(syscalls, clock), epoll_fd_(epoll_fd), wake_fd_(wake_fd) {}

EpollLoop::~EpollLoop() {
  Clear();
  syscalls().Close(wake_fd_);
  syscalls().Close(epoll_fd_);
}

int EpollLoop::Watch(Watcher* watcher, int fd, uint8_t interest) {
  epoll_event event = {};
  event.events = EpollEventsOf(interest);
  event.data.ptr = watcher;
  const bool is_new = watcher->registration_ == nullptr;
  const int result =
      syscalls().EpollCtl(epoll_fd_, is_new ? EPOLL_CTL_ADD : EPOLL_CTL_MOD, fd, &event);
  if (result == 0) watcher->registration_ = this;
  return result;
}

void EpollLoop::Unwatch(Watcher* watcher, int fd) {
  if (watcher->registration_ == nullptr) return;
  watcher->registration_ = nullptr;
  // Closing would do, but for a child process that has inherited the descriptor: it keeps the
  // socket, and so its events, alive.
  syscalls().EpollCtl(epoll_fd_, EPOLL_CTL_DEL, fd, nullptr);
  for (int i = next_event_; i < event_count_; ++i) {
    if (events_[i].data.ptr == watcher) events_[i].data.ptr = nullptr;
  }
}

void EpollLoop::WaitAndDispatch(absl::Duration timeout) {
  const int count = syscalls().EpollWait(epoll_fd_, events_, kEventsPerTurn, timeout);
  CHECK(count >= 0 || count == -EINTR) << "epoll_wait: " << ErrnoName(-count);
  event_count_ = count > 0 ? count : 0;
  for (next_event_ = 0; next_event_ < event_count_;) {
    const epoll_event event = events_[next_event_++];
    // Null: it was unwatched by an earlier event of this batch.
    if (event.data.ptr == nullptr) continue;
    if (event.data.ptr == const_cast<int*>(&wake_fd_)) {
      syscalls().EventFdDrain(wake_fd_);
    } else {
      static_cast<Watcher*>(event.data.ptr)->OnReady(ReadinessOf(event.events));
    }
  }
  event_count_ = 0;
  next_event_ = 0;
}

void EpollLoop::Wake() {
  // EAGAIN would be as good as success: the counter is full, so the descriptor is readable.
  while (syscalls().EventFdSignal(wake_fd_) == -EINTR) {
  }
}

}  // namespace rollcall::net
