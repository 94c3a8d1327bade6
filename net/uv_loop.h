// The event loop on libuv.
#ifndef ROLLCALL_NET_UV_LOOP_H_
#define ROLLCALL_NET_UV_LOOP_H_

#include <uv.h>

#include <cstdint>
#include <memory>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "net/clock.h"
#include "net/event_loop.h"
#include "net/socket_loop.h"
#include "net/syscalls.h"

namespace rollcall::net {

// libuv waits and wakes; the sockets are ours (uv_poll_t). Its own streams would not do: uv_listen
// answers EMFILE by closing the connections that wait, its writes can raise SIGPIPE, and it keeps
// no peer address.
class UvLoop final : public SocketLoop {
 public:
  // `syscalls` and `clock` must outlive the loop. kResourceExhausted when descriptors are short.
  static absl::StatusOr<std::unique_ptr<UvLoop>> New(Syscalls* syscalls, Clock* clock);
  ~UvLoop() override;

  EventLoopKind kind() const override { return EventLoopKind::kLibuv; }

  int Watch(Watcher* watcher, int fd, uint8_t interest) override;
  void Unwatch(Watcher* watcher, int fd) override;

 protected:
  void WaitAndDispatch(absl::Duration timeout) override;
  void Wake() override;

 private:
  struct Watched;

  UvLoop(Syscalls* syscalls, Clock* clock) : SocketLoop(syscalls, clock) {}
  // The constructor's part that can fail: 0 or -errno.
  int Init();
  static void OnPoll(uv_poll_t* poll, int status, int events);

  bool initialised_ = false;
  uv_loop_t loop_;
  uv_async_t wake_up_;
  uv_timer_t timer_;
};

}  // namespace rollcall::net

#endif  // ROLLCALL_NET_UV_LOOP_H_
