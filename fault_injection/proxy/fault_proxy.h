// A TCP proxy between clients and a store server that makes the network between them go wrong: on
// real sockets, between processes that know nothing of it, and in the simulator, between fibers.
//
//   auto proxy = FaultProxy::Start(env, &net::RealSyscalls(),
//                                  {{.name = "w1", .target = {"127.0.0.1", 29500}}}).value();
//   ... a client connects to proxy->port("w1") ...
//   proxy->SetLatency("w1", Direction::kToClient, absl::Milliseconds(20));
//   proxy->Truncate("w1", Direction::kToServer, {.frame = 3, .byte = 5}, Ending::kReset);
#ifndef ROLLCALL_FAULT_INJECTION_PROXY_FAULT_PROXY_H_
#define ROLLCALL_FAULT_INJECTION_PROXY_FAULT_PROXY_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "fault_injection/proxy/proxy_types.h"
#include "net/env.h"
#include "net/monitor.h"
#include "net/socket_loop.h"
#include "net/syscalls.h"

namespace rollcall::fault {

class ProxyRoute;

// One thread (a fiber, in the simulator) serves all routes. What it cannot hide, being two TCP
// connections where there should be one:
//
//   A client's connect succeeds when the proxy's kernel says so. So the proxy listens on a route
//   only while its target takes connections: it keeps one ready (Route::keeps_spare), which the
//   next client gets, and which tells at once when the target goes; then the port refuses until the
//   target, asked every 2 to 50 ms, is there again. A target that does not answer for 250 ms makes
//   the port silent. A client that came in between is reset.
//   The kernel at the proxy's end acknowledges what it has, whether the proxy forwards it or not: a
//   sender never sees a time-out of its kernel's (TCP_USER_TIMEOUT, keep-alive).
//   The spare, and what the probes open, count as connections at the server.
//
// The end of a stream is forwarded as such, a reset as a reset, in order with the bytes and with
// their delays; a cut is another matter (see Cut).
//
// Frames: toward the server they are requests, and the greeting VALIDATE is the first; toward the
// client they are replies, in the order of the requests. What does not parse as the store's
// protocol is bytes without frames, from there on. After a corrupted or truncated request the
// replies may no longer be told apart.
//
// Thread-safe; in the simulator call it from fibers, not from events. A setting holds when the call
// returns, for what comes from then on. `route` is a name, or "" for all of them; a name that is
// not known is a bug of the caller's (CHECK): ask HasRoute first where a user wrote it.
class FaultProxy {
 public:
  // Returns once it is known of each target whether it is there, which takes at most 250 ms, and
  // each port answers accordingly. `env` and `syscalls`, those of one process, must outlive the
  // proxy. InvalidArgument for names that are empty or not unique; errors of net/ where a host is
  // not found or a port is taken (net/net_error.h): then nothing is left open.
  static absl::StatusOr<std::unique_ptr<FaultProxy>> Start(net::Env& env, net::Syscalls* syscalls,
                                                           const std::vector<Route>& routes);
  // As Stop().
  ~FaultProxy();

  // Closes everything, as a process that ends. Later calls do nothing; stats() stay as they were.
  void Stop();

  bool HasRoute(absl::string_view name) const;
  // Where clients of this route connect.
  uint16_t port(absl::string_view name) const;
  RouteStats stats(absl::string_view name);

  // --- The way, each direction for itself ---
  // Each piece takes so much longer, and up to `jitter` more; their order stays.
  void SetLatency(absl::string_view route, Direction direction, absl::Duration latency,
                  absl::Duration jitter = absl::ZeroDuration());
  // Shared by the route's connections. 0: no limit.
  void SetRate(absl::string_view route, Direction direction, int64_t bytes_per_second);
  // Bytes and ends are held back until Heal, and then delivered. But where their sender resets the
  // connection meanwhile, they are lost, and so is the reset: no kernel sends that twice. The other
  // end hears of it only in answer to what it sends, or had sent and does not know to have arrived.
  // Nobody is told anything, and a connect to the route, which would need both directions, is not
  // answered.
  void Cut(absl::string_view route, Direction direction);
  void Heal(absl::string_view route, Direction direction);
  // What is sent is at most `piece_bytes` long, with `pause` after each. 0 ends it.
  void Slice(absl::string_view route, Direction direction, size_t piece_bytes,
             absl::Duration pause = absl::ZeroDuration());

  // --- The whole route ---
  // A connect is not answered, and what is connected is silent both ways. Healing it delivers what
  // was held back; a client's kernel repeats its connect one second after the first, then later
  // and later.
  void BlackHole(absl::string_view route);
  void HealBlackHole(absl::string_view route);
  // A connect is refused; what is connected lives on.
  void Refuse(absl::string_view route);
  void HealRefuse(absl::string_view route);
  // RST to both ends of all connections, at once: what is under way is lost.
  void Reset(absl::string_view route);
  // The machine of those who send in this direction is lost: all connections are forgotten there,
  // and nobody is told. Whoever sends to one of them is answered with a reset; so there is silence
  // only together with BlackHole, until the machine is back.
  void LoseSenders(absl::string_view route, Direction direction);
  // FIN to both ends of all connections, at once: what is under way is lost.
  void CloseConnections(absl::string_view route);
  // The next `count` connections are accepted, and ended at once: kFin or kReset. The server does
  // not hear of them. 0 ends it.
  void AcceptThenClose(absl::string_view route, Ending ending, int count);

  // --- Single frames; each of these acts once (see Spot), then is gone ---
  // Forwards what is before the spot, nothing of that connection after it. A frame that is shorter
  // is forwarded whole.
  void Truncate(absl::string_view route, Direction direction, Spot spot, Ending ending);
  // A frame without such a byte stays as it is, and stats() show that nothing was corrupted.
  void Corrupt(absl::string_view route, Direction direction, Spot spot, uint8_t xor_mask);
  void DuplicateFrame(absl::string_view route, Direction direction, int64_t frame);
  // From now on, on each connection: frames wait until there are `count` of them (or the sender
  // ends) and are sent in one write. 0 or 1 ends it, and lets go those that wait.
  void Coalesce(absl::string_view route, Direction direction, int count);

  // Ends every fault that is set, and whatever has been set and not acted yet; what was held back
  // is delivered.
  void HealAll(absl::string_view route);

 private:
  FaultProxy(net::Env* env, std::unique_ptr<net::SocketLoop> loop);

  absl::Status AddRoutes(const std::vector<Route>& routes);
  absl::Status Run();
  ProxyRoute* Find(absl::string_view name) const;
  // Runs `command` on the loop's thread and waits for its end; after Stop, does nothing.
  void Do(absl::AnyInvocable<void()> command);
  void DoOnRoutes(absl::string_view route, absl::AnyInvocable<void(ProxyRoute&)> command);
  void OnSettled();

  net::Env& env_;
  const std::unique_ptr<net::Monitor> monitor_;
  std::unique_ptr<char[]> buffer_;
  std::unique_ptr<net::SocketLoop> loop_;
  std::vector<std::unique_ptr<ProxyRoute>> routes_;  // The loop's, once it runs.
  std::map<std::string, uint16_t, std::less<>> ports_;
  std::unique_ptr<net::Thread> thread_;
  int unsettled_ ABSL_GUARDED_BY(*monitor_) = 0;
  bool is_stopped_ ABSL_GUARDED_BY(*monitor_) = false;
  std::map<std::string, RouteStats, std::less<>> last_stats_ ABSL_GUARDED_BY(*monitor_);
};

}  // namespace rollcall::fault

#endif  // ROLLCALL_FAULT_INJECTION_PROXY_FAULT_PROXY_H_
