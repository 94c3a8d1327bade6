// Listening sockets on a SocketLoop.
#ifndef ROLLCALL_NET_SOCKET_LISTENER_H_
#define ROLLCALL_NET_SOCKET_LISTENER_H_

#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "net/address.h"
#include "net/event_loop.h"
#include "net/listen_sockets.h"
#include "net/owned_fd.h"
#include "net/socket_loop.h"

namespace rollcall::net {

class SocketListener final : public Listener {
 public:
  // Takes over `sockets`. `adopted`: they were made elsewhere; on an error they stay open.
  static absl::StatusOr<std::unique_ptr<Listener>> Start(SocketLoop* loop,
                                                         std::vector<BoundSocket> sockets,
                                                         bool adopted, AcceptCallback on_accept);
  ~SocketListener() override;

  const std::vector<SocketAddress>& addresses() const override { return addresses_; }

  // Ends a rest: accepts again from the next turn on.
  void Resume();

 private:
  class Socket final : public Watcher {
   public:
    Socket(SocketListener* listener, OwnedFd fd) : listener_(listener), fd_(std::move(fd)) {}
    ~Socket() { listener_->loop_->Unwatch(this, fd_.get()); }
    int Watch(uint8_t interest) { return listener_->loop_->Watch(this, fd_.get(), interest); }
    // Gives up the descriptor without closing it.
    void Release();

   private:
    void OnReady(uint8_t) override { listener_->Accept(fd_.get()); }

    SocketListener* const listener_;
    OwnedFd fd_;
  };

  SocketListener(SocketLoop* loop, std::vector<BoundSocket> sockets, bool adopted,
                 AcceptCallback on_accept);

  void Accept(int fd);
  // Leaves the backlog alone for a while, since accepting fails for a reason that only time, or a
  // connection that closes, can heal.
  void Rest(int errno_value);
  int WatchAll(uint8_t interest);

  SocketLoop* const loop_;
  const bool adopted_;
  AcceptCallback on_accept_;
  std::vector<SocketAddress> addresses_;
  std::vector<std::unique_ptr<Socket>> sockets_;
  TimerId rest_timer_ = 0;  // Not 0: resting.
  absl::Time next_log_ = absl::InfinitePast();
};

}  // namespace rollcall::net

#endif  // ROLLCALL_NET_SOCKET_LISTENER_H_
