// How a store server listens, and how much it lets its peers cost it.
#ifndef ROLLCALL_STORE_SERVER_SERVER_OPTIONS_H_
#define ROLLCALL_STORE_SERVER_SERVER_OPTIONS_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "net/event_loop.h"
#include "net/network.h"
#include "net/tls/tls_files.h"
#include "store/engine/name_spaces.h"
#include "store/protocol/request_parser.h"

namespace rollcall {

struct ServerOptions {
  // Empty: all interfaces. A name or numeric address: exactly its addresses.
  std::string host;
  // 0: the system picks one; ask StoreServer::port().
  uint16_t port = 0;
  // >= 0: serve on this bound socket, which the server then owns. `port` must be its port or 0.
  int listen_fd = -1;
  net::EventLoopKind event_loop = net::EventLoopKind::kEpoll;
  // How many threads serve connections, each on an event loop of its own: 1 to 64. The store is one
  // all the same, and each connection stays with one thread. More than one pays where one core is
  // not enough for the connections' system calls (docs/performance.md).
  int io_threads = 1;

  // --- Who gets in ---
  // With a certificate: TLS, on `port` alone, or on a second port if there is a tls_port.
  net::TlsServerFiles tls;
  // 0: the system picks one; ask StoreServer::tls_port(). Then `port` is one without TLS, and where
  // `host` is empty it is one of the loopback address only.
  std::optional<uint16_t> tls_port;
  // Where tls_port is listened on, as host.
  std::string tls_host;
  // A file of tokens (store/token_file.h): nobody is served before he has shown one of them, but on
  // `port` where there is a tls_port, which is left to clients that have none. Empty: nobody needs
  // one.
  std::string token_file;
  // Each token's clients are in the name space of the token's name, and see nothing of the others;
  // those of a token that is named "default" (store/token_file.h) are where those without one are.
  bool name_space_per_token = false;
  // Ports beside `port`, with TLS and tokens if it has them, whose clients are in the name space of
  // the port, unless a token says otherwise.
  struct NameSpacePort {
    std::string name_space;  // As a token's name.
    std::string host;        // As the option above.
    uint16_t port = 0;
  };
  std::vector<NameSpacePort> name_space_ports;

  bool HasNameSpaces() const { return name_space_per_token || !name_space_ports.empty(); }

  // How long a peer may take for its TLS handshake.
  absl::Duration tls_handshake_timeout = absl::Seconds(10);

  // Whose connections are taken, on whichever port; empty: everybody's. Others are closed at once.
  std::vector<net::Network> allow;

  bool HasTls() const { return !tls.certificate_chain.empty(); }

  // How many clients are expected: the job's world size. 0: unknown. Start() logs a warning, with
  // the remedy, where this machine's limits are too low for them; nothing else depends on it.
  int expected_clients = 0;

  // For who looks at serving times (ServerMetrics): costs a look at the clock for each piece of
  // bytes that comes.
  bool measure_latencies = false;

  // Limits on keys, values and requests; which dialects are welcome.
  protocol::ParserOptions parser;

  // What is stored: in each name space, the default one too, and in all together.
  engine::NameSpaceLimits store_limits;

  // 0: as many as there are descriptors. Beyond it, a new connection is closed at once.
  size_t connections_max = 0;
  // Of one address; 0: as many. Beyond it, a new connection of that address is closed at once.
  size_t connections_per_peer_max = 0;
  // A peer that has begun its greeting or a request has this long to finish it, and one whose
  // connection is being closed has this long to take the replies that are due. One that connects
  // and says nothing is left alone (a torch 1.x watch channel never speaks), see
  // silent_connections_max.
  absl::Duration half_request_timeout = absl::Seconds(60);
  // A client that has nothing under way, and awaits and watches nothing, may be silent for so long;
  // then its connection is closed. A rank may well have nothing to ask for hours.
  absl::Duration idle_timeout = absl::InfiniteDuration();
  // Connections that have said nothing yet; the oldest is closed when one more comes.
  size_t silent_connections_max = 65536;
  // Unsent reply bytes at which a connection is no longer read from until it has taken them, ...
  size_t unsent_bytes_soft_max = 1 << 20;
  // ... and which one more reply must not exceed: the connection is closed instead. What a
  // multi_set may store (Limits::request_bytes_max), a multi_get can fetch.
  size_t unsent_bytes_hard_max = 260 << 20;
  // How long a stopping server goes on sending replies that are already due.
  absl::Duration shutdown_grace = absl::Milliseconds(500);
};

// InvalidArgument, naming the option, its value and what it may be.
absl::Status ValidateServerOptions(const ServerOptions& options);

}  // namespace rollcall

#endif  // ROLLCALL_STORE_SERVER_SERVER_OPTIONS_H_
