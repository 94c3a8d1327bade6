// All that belongs to one route of a fault proxy.
#ifndef ROLLCALL_FAULT_INJECTION_PROXY_PROXY_ROUTE_H_
#define ROLLCALL_FAULT_INJECTION_PROXY_PROXY_ROUTE_H_

#include <cstdint>
#include <map>
#include <memory>
#include <string>

#include "absl/functional/any_invocable.h"
#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/types/span.h"
#include "fault_injection/proxy/lane.h"
#include "fault_injection/proxy/proxy_types.h"
#include "fault_injection/proxy/relay.h"
#include "fault_injection/proxy/route_listener.h"
#include "fault_injection/proxy/target.h"
#include "net/address.h"
#include "net/env.h"
#include "net/owned_fd.h"
#include "net/socket_loop.h"

namespace rollcall::fault {

// On the loop's thread only, but for the constructor and Begin, which come before the loop runs.
class ProxyRoute {
 public:
  // `on_settled` runs once the target's state is known, if it was not from the beginning.
  ProxyRoute(net::SocketLoop* loop, net::Env* env, const Route& route, absl::Span<char> buffer,
             absl::AnyInvocable<void()> on_settled);

  absl::Status Begin(const net::SocketAddress& listen_at, const net::SocketAddress& target);

  const std::string& name() const { return name_; }
  uint16_t port() const { return listener_.address().port(); }
  bool is_settled() const { return target_->state() != Target::State::kUnknown; }

  Lane& lane(Direction direction) {
    return direction == Direction::kToServer ? to_server_ : to_client_;
  }
  // After a lane's settings have changed.
  void Refresh();
  void SetRefuses(bool refuses);
  void SetBlackHole(bool is_black_hole);
  // Every setting is as at the beginning.
  void HealAll();
  void ResetAll();
  void LoseSenders(Direction direction);
  void CloseAll();
  // The next `count` connections are accepted and ended: with a reset, or orderly.
  void TurnAwayNext(bool with_reset, int count);
  RouteStats stats() const;

 private:
  void OnAccept(net::OwnedFd client);
  void OnTargetChange();
  absl::Status UpdateListener();
  // The same, where nobody could be told of an error.
  void Update();
  void ForEachRelay(absl::FunctionRef<void(Relay&)> act);

  net::SocketLoop& loop_;
  const std::string name_;
  const bool keeps_spare_;
  absl::AnyInvocable<void()> on_settled_;
  Lane to_server_;
  Lane to_client_;
  RelayContext context_;
  RouteListener listener_;
  std::unique_ptr<Target> target_;
  std::map<int64_t, std::unique_ptr<Relay>> relays_;  // In the order of their coming.
  int64_t next_relay_ = 0;
  int64_t finished_relays_ = 0;  // Of relays_, that are to be destroyed.
  bool refuses_ = false;
  int turn_away_ = 0;
  bool turn_away_with_reset_ = false;
  RouteStats stats_;
};

}  // namespace rollcall::fault

#endif  // ROLLCALL_FAULT_INJECTION_PROXY_PROXY_ROUTE_H_
