// The event loop on Linux's epoll.
#ifndef ROLLCALL_NET_EPOLL_LOOP_H_
#define ROLLCALL_NET_EPOLL_LOOP_H_

#include <sys/epoll.h>

#include <cstdint>
#include <memory>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "net/clock.h"
#include "net/event_loop.h"
#include "net/socket_loop.h"
#include "net/syscalls.h"

namespace rollcall::net {

// Level-triggered: a socket that was read until the buffer was not full needs no second call to
// learn that it is empty. Makes every system call through `syscalls`.
class EpollLoop final : public SocketLoop {
 public:
  // `syscalls` and `clock` must outlive the loop. kResourceExhausted when descriptors are short.
  static absl::StatusOr<std::unique_ptr<EpollLoop>> New(Syscalls* syscalls, Clock* clock);
  ~EpollLoop() override;

  EventLoopKind kind() const override { return EventLoopKind::kEpoll; }

  int Watch(Watcher* watcher, int fd, uint8_t interest) override;
  void Unwatch(Watcher* watcher, int fd) override;

 protected:
  void WaitAndDispatch(absl::Duration timeout) override;
  void Wake() override;

 private:
  static constexpr int kEventsPerTurn = 256;

  EpollLoop(Syscalls* syscalls, Clock* clock, int epoll_fd, int wake_fd);

  const int epoll_fd_;
  const int wake_fd_;
  // The batch at hand is events_[next_event_, event_count_).
  epoll_event events_[kEventsPerTurn];
  int next_event_ = 0;
  int event_count_ = 0;
};

}  // namespace rollcall::net

#endif  // ROLLCALL_NET_EPOLL_LOOP_H_
