// The port of a route, open, refusing or silent.
#ifndef ROLLCALL_FAULT_INJECTION_PROXY_ROUTE_LISTENER_H_
#define ROLLCALL_FAULT_INJECTION_PROXY_ROUTE_LISTENER_H_

#include <cstdint>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "net/address.h"
#include "net/owned_fd.h"
#include "net/socket_loop.h"

namespace rollcall::fault {

// On the loop's thread only, once the loop runs. The port stays its own in every state: a bound
// socket that never listens keeps it.
class RouteListener final : public net::Watcher {
 public:
  enum class State {
    kRefuses,  // Nobody listens.
    kOpen,
    // A connect is not answered: the backlog is full, with the proxy's own connections, so that the
    // kernel drops what comes. It is tried again by the client's kernel: after one second first.
    kSilent,
  };

  // Takes `address`, port 0 for one that the system chooses. In state kRefuses.
  RouteListener(net::SocketLoop* loop, net::Clock* clock,
                absl::AnyInvocable<void(net::OwnedFd)> on_accept);
  absl::Status Bind(const net::SocketAddress& address);
  ~RouteListener();

  const net::SocketAddress& address() const { return address_; }
  State state() const { return state_; }
  // Holds when it returns. Whoever is connected and not yet accepted is accepted first. An error is
  // of a system call, and leaves the state kRefuses.
  absl::Status SetState(State state);

 private:
  void OnReady(uint8_t) override { AcceptAll(); }
  void AcceptAll();
  bool IsFiller(const net::SocketAddress& peer) const;
  absl::StatusOr<net::OwnedFd> BoundSocket() const;
  absl::Status Listen(int backlog);
  void FillBacklog();
  void DrainFillers();
  void Close();

  net::SocketLoop& loop_;
  net::Clock& clock_;
  absl::AnyInvocable<void(net::OwnedFd)> on_accept_;
  net::SocketAddress address_;
  net::OwnedFd holder_;
  net::OwnedFd listening_;
  std::vector<net::OwnedFd> fillers_;
  std::vector<net::SocketAddress> filler_addresses_;  // Of those that were not accepted yet.
  State state_ = State::kRefuses;
  net::TimerId rest_ = 0;  // Accepting fails for want of descriptors.
};

}  // namespace rollcall::fault

#endif  // ROLLCALL_FAULT_INJECTION_PROXY_ROUTE_LISTENER_H_
