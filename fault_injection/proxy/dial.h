// One attempt to connect.
#ifndef ROLLCALL_FAULT_INJECTION_PROXY_DIAL_H_
#define ROLLCALL_FAULT_INJECTION_PROXY_DIAL_H_

#include <cstdint>

#include "absl/functional/any_invocable.h"
#include "net/address.h"
#include "net/owned_fd.h"
#include "net/socket_loop.h"

namespace rollcall::fault {

// On the loop's thread only. Destroying it gives the attempt up.
class Dial final : public net::Watcher {
 public:
  // `done` runs once, later, on the loop's thread: with 0 and the connected, non-blocking socket,
  // or with the errno of what failed. It may destroy this.
  using Done = absl::AnyInvocable<void(int errno_value, net::OwnedFd fd)>;
  Dial(net::SocketLoop* loop, const net::SocketAddress& address, Done done);
  ~Dial();

 private:
  void OnReady(uint8_t readiness) override;
  void Finish(int errno_value);

  net::SocketLoop& loop_;
  Done done_;
  net::OwnedFd fd_;
  net::TimerId at_once_ = 0;  // For an attempt that is over before this is made.
};

}  // namespace rollcall::fault

#endif  // ROLLCALL_FAULT_INJECTION_PROXY_DIAL_H_
