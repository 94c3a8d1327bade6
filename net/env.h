// Everything nondeterministic that the store, its server, its client and a user's worker touch:
// time, network, threads, chance, and what the process was started with. RealEnv() is this process
// on this machine; a simulator is another Env. Handed down from main or a test, never looked up.
#ifndef ROLLCALL_NET_ENV_H_
#define ROLLCALL_NET_ENV_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "net/address.h"
#include "net/clock.h"
#include "net/connection.h"
#include "net/event_loop.h"
#include "net/monitor.h"

namespace rollcall::net {

// A running thread. Destroying it joins it.
class Thread {
 public:
  virtual ~Thread() = default;
};

// Thread-safe, all of it. The Env must outlive everything made from it.
class Env : public Clock {
 public:
  // --- Time ---
  virtual void SleepUntil(absl::Time deadline) = 0;

  // --- Threads ---
  // `name` is for logs and traces; Linux shows its first 15 characters. Null if the system has no
  // thread to give.
  virtual std::unique_ptr<Thread> StartThread(std::string name,
                                              absl::AnyInvocable<void()> body) = 0;
  virtual std::unique_ptr<Monitor> NewMonitor() = 0;

  // --- Network: blocking, each call under one absolute deadline ---
  // All addresses of `host` (IPv6 and IPv4, in the system's order), with `port`. A numeric host
  // needs no look-up. Returns by the deadline even if the system's resolver hangs. kNameLookup,
  // kTimedOut.
  virtual absl::StatusOr<std::vector<SocketAddress>> Resolve(const Endpoint& endpoint,
                                                             absl::Time deadline) = 0;
  // One attempt at each of the addresses until one answers. They are tried in turn with a head
  // start of kConnectHeadStart each, and run side by side from then on (RFC 8305), so that a dead
  // first address costs only its head start. TCP_NODELAY, close-on-exec, keep-alive and
  // TCP_USER_TIMEOUT are set. If all fail, the error of the one that came furthest: kRefused or
  // kReset (the peer said no) before kNoAnswer before what kept us from asking (kUnreachable,
  // kResourceExhausted, kPermission...); its message lists every address with its error.
  virtual absl::StatusOr<std::unique_ptr<Connection>> ConnectAny(
      absl::Span<const SocketAddress> addresses, absl::Time deadline) = 0;
  // Binds and listens at once. An empty host means all interfaces.
  virtual absl::StatusOr<std::unique_ptr<ListeningSocket>> Listen(const Endpoint& endpoint) = 0;

  // --- Event loops ---
  // Unimplemented where this Env has no such loop.
  virtual absl::StatusOr<std::unique_ptr<EventLoop>> NewEventLoop(EventLoopKind kind) = 0;

  // --- Chance ---
  virtual uint64_t RandomBits() = 0;

  // --- This process ---
  virtual std::optional<std::string> GetEnvironmentVariable(const std::string& name) = 0;
  virtual int ProcessId() = 0;
  virtual std::string HostName() = 0;
  // The kernel's cap on a listen backlog (net.core.somaxconn); nullopt if it cannot be read.
  virtual std::optional<int> MaxListenBacklog() = 0;
};

constexpr absl::Duration kConnectHeadStart = absl::Milliseconds(250);

// This process. Lives for ever. (net/real_env.h has what it is made of.)
Env& RealEnv();

}  // namespace rollcall::net

#endif  // ROLLCALL_NET_ENV_H_
