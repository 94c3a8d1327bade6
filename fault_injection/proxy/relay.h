// One client's connection through the proxy.
#ifndef ROLLCALL_FAULT_INJECTION_PROXY_RELAY_H_
#define ROLLCALL_FAULT_INJECTION_PROXY_RELAY_H_

#include <cstddef>
#include <memory>
#include <optional>

#include "absl/functional/any_invocable.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "fault_injection/proxy/dial.h"
#include "fault_injection/proxy/flow.h"
#include "fault_injection/proxy/frame_scanner.h"
#include "fault_injection/proxy/lane.h"
#include "fault_injection/proxy/proxy_types.h"
#include "fault_injection/proxy/socket_end.h"
#include "net/address.h"
#include "net/owned_fd.h"
#include "net/socket_loop.h"
#include "store/protocol/dialect.h"

namespace rollcall::fault {

// What every relay of a route is given. All must outlive them.
struct RelayContext {
  net::SocketLoop* loop = nullptr;
  Lane* to_server = nullptr;
  Lane* to_client = nullptr;
  protocol::Dialect legacy_dialect = protocol::Dialect::kLegacy;
  absl::Span<char> buffer;  // Lent for one read at a time.
};

// On the loop's thread only.
class Relay {
 public:
  // `on_done` runs once, when both connections are closed; not from the constructor, and it may
  // not destroy this.
  Relay(const RelayContext& context, net::OwnedFd client, absl::AnyInvocable<void()> on_done);
  ~Relay();

  // One of the three comes first, once.
  void Begin(net::OwnedFd server);
  // Connects first; `on_failed` gets the errno if that fails, and the client is then reset.
  void Connect(const net::SocketAddress& target, absl::AnyInvocable<void(int)> on_failed);
  // The client is sent the end of the stream, and what it says is not heard.
  void TurnAway();

  // At once, what is under way is lost.
  void Reset();
  void CloseOrderly();
  // The machine of who sends in this direction is lost.
  void LoseSender(Direction direction);
  // The settings of a lane have changed.
  void Refresh();

 private:
  void OnReady(SocketEnd& end, uint8_t readiness);
  void AttachServer(net::OwnedFd server);
  // After anything has happened: tells one flow of the other, and waits for what is wanted now.
  void Settle();
  void TellOfLostEnds();
  void SetTimer();
  void Finish();

  const RelayContext context_;
  absl::AnyInvocable<void()> on_done_;
  ReplyScanner replies_;
  RequestScanner requests_;
  Flow to_server_;
  Flow to_client_;
  SocketEnd client_;
  std::optional<SocketEnd> server_;  // None while it connects, or where the client is turned away.
  std::unique_ptr<Dial> dial_;
  net::TimerId timer_ = 0;
  absl::Time timer_at_ = absl::InfiniteFuture();
  bool is_turned_away_ = false;
  bool is_finished_ = false;
};

}  // namespace rollcall::fault

#endif  // ROLLCALL_FAULT_INJECTION_PROXY_RELAY_H_
