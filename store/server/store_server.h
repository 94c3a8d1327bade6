// A store that others connect to, in a thread of its own, or in several.
#ifndef ROLLCALL_STORE_SERVER_STORE_SERVER_H_
#define ROLLCALL_STORE_SERVER_STORE_SERVER_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "net/address.h"
#include "net/env.h"
#include "store/server/server_engine.h"
#include "store/server/server_options.h"
#include "store/server/server_snapshot.h"
#include "store/server/server_stats.h"

namespace rollcall {

// Thread-safe. Serves from a successful Start until Stop() or destruction.
class StoreServer {
 public:
  // Listens before it returns: a client that connects from then on is served. `env` must outlive
  // the server. An absl::Status of net/ (net/net_error.h): kAddressInUse and the like, kNameLookup
  // if options.host is not found in kResolveTimeout; InvalidArgument for options that contradict
  // each other, and for files that are not what they should be; Unimplemented where `env` has no
  // such event loop; what `new_engine` fails with. In every case of failure nothing is left open,
  // but a listen_fd stays the caller's. No `new_engine`: in memory, within options.store_limits.
  static absl::StatusOr<std::unique_ptr<StoreServer>> Start(
      net::Env& env, const ServerOptions& options, const ServerEngineFactory& new_engine = nullptr);

  static constexpr absl::Duration kResolveTimeout = absl::Seconds(5);

  // Stops as Stop() does.
  virtual ~StoreServer() = default;

  // Closes the listeners, sends what is due for at most shutdown_grace, then closes every
  // connection, so that each client that waits learns of it at once. Returns when all is done.
  // Idempotent. Not from an event loop's own thread.
  virtual void Stop() = 0;

  // Reads the files of options.tls and options.token_file anew, for connections that come from then
  // on; those that there are stay as they are. InvalidArgument if one of them is wrong: then
  // nothing changes. From any thread.
  virtual absl::Status Reload() = 0;

  virtual uint16_t port() const = 0;
  // "127.0.0.1:29500"; all interfaces show as "[::]:29500".
  virtual std::string address() const = 0;
  // The same of options.tls_port; nullopt and empty if there is none.
  virtual std::optional<uint16_t> tls_port() const = 0;
  virtual std::string tls_address() const = 0;
  // Where the clients of a name space's own port come in: of options.name_space_ports, in order.
  virtual std::vector<net::SocketAddress> name_space_addresses() const = 0;
  virtual net::EventLoopKind event_loop() const = 0;
  // Includes all that any client has seen the effect of.
  virtual ServerStats stats() const = 0;

  // Asks the event loop for all that is known; takes its thread for about a millisecond for each
  // 4,096 ranks or waits. DeadlineExceeded if it does not answer by `deadline`: it is stuck, or has
  // more to do than it can; Unavailable once the server stops. Not from the loop's own thread.
  virtual absl::StatusOr<ServerSnapshot> Snapshot(absl::Time deadline) = 0;
  // The same for a sign of life, which costs the loop nothing.
  virtual absl::Status CheckAlive(absl::Time deadline) = 0;
};

}  // namespace rollcall

#endif  // ROLLCALL_STORE_SERVER_STORE_SERVER_H_
