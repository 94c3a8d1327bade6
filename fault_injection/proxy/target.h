// What is known of a route's server: whether it is there, and a connection to it that is ready.
#ifndef ROLLCALL_FAULT_INJECTION_PROXY_TARGET_H_
#define ROLLCALL_FAULT_INJECTION_PROXY_TARGET_H_

#include <cstdint>
#include <memory>
#include <optional>

#include "absl/functional/any_invocable.h"
#include "absl/time/time.h"
#include "fault_injection/proxy/dial.h"
#include "net/address.h"
#include "net/owned_fd.h"
#include "net/socket_loop.h"

namespace rollcall::fault {

// While the target is there, one connection is kept ready (if so wanted): it is at hand for the
// next client, and its loss is how one learns that the target went. While it is not there, it is
// asked again and again. On the loop's thread only.
class Target {
 public:
  enum class State {
    kUnknown,  // Not asked yet.
    kUp,
    kRefuses,
    kSilent,  // It does not answer.
  };
  static constexpr absl::Duration kProbeIntervalMin = absl::Milliseconds(2);
  static constexpr absl::Duration kProbeIntervalMax = absl::Milliseconds(50);
  // An attempt that takes longer is not answered.
  static constexpr absl::Duration kSilentAfter = absl::Milliseconds(250);

  // `on_change` is told of every change of state(), and may not destroy this.
  Target(net::SocketLoop* loop, const net::SocketAddress& address, bool keeps_spare,
         absl::AnyInvocable<void()> on_change);
  ~Target();

  State state() const { return state_; }
  const net::SocketAddress& address() const { return address_; }
  int64_t refusals() const { return refusals_; }
  // A connection that is ready, and no longer this object's; none if there is none. A next one is
  // made in its place.
  std::optional<net::OwnedFd> TakeSpare();
  // A connection of a client's could not be made: `errno_value` says why.
  void OnConnectFailed(int errno_value);

 private:
  void Probe();
  void ProbeLater();
  void OnProbed(int errno_value, net::OwnedFd fd);
  void OnSpareReady();
  void SetState(State state);
  void CancelTimer();

  net::SocketLoop& loop_;
  const net::SocketAddress address_;
  const bool keeps_spare_;
  absl::AnyInvocable<void()> on_change_;
  State state_ = State::kUnknown;
  std::unique_ptr<Dial> dial_;
  net::OwnedFd spare_;
  // Tells when the spare is lost. Apart from spare_, which outlives it when a client takes it.
  class SpareWatcher;
  std::unique_ptr<SpareWatcher> watcher_;
  net::TimerId timer_ = 0;  // For the next probe, or for the patience with the one at hand.
  absl::Duration interval_ = kProbeIntervalMin;
  absl::Time last_probe_ = absl::InfinitePast();
  int64_t refusals_ = 0;
};

}  // namespace rollcall::fault

#endif  // ROLLCALL_FAULT_INJECTION_PROXY_TARGET_H_
