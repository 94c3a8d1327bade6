// What a fault proxy is told, and what it tells of itself.
#ifndef ROLLCALL_FAULT_INJECTION_PROXY_PROXY_TYPES_H_
#define ROLLCALL_FAULT_INJECTION_PROXY_PROXY_TYPES_H_

#include <cstdint>
#include <string>

#include "net/address.h"
#include "store/protocol/dialect.h"

namespace rollcall::fault {

// One port of the proxy, and where it leads.
struct Route {
  std::string name;      // "w1": who connects here, as plans call it.
  net::Endpoint target;  // The server's.
  std::string listen_host = "127.0.0.1";
  uint16_t port = 0;  // 0: the system chooses; ask FaultProxy::port().
  // One connection to the target is kept ready for the next client, and tells at once when the
  // target goes. False: nothing is opened that no client asked for; then the first client after
  // the target has gone is reset rather than refused.
  bool keeps_spare = true;
  // How the requests of a client without a greeting are cut into frames: the bytes do not tell.
  protocol::Dialect legacy_dialect = protocol::Dialect::kLegacy;
};

enum class Direction { kToServer, kToClient };

// What follows on bytes that were cut short.
enum class Ending {
  kStall,  // Nothing, until the sender ends the connection.
  kFin,    // The end of the stream.
  kReset,  // A reset, of both ends.
};

// A place in what a route carries in one direction, counted over all its connections from the
// moment that the fault is set, as the bytes come to the proxy: a request that has no reply may
// still be on its way there when the client has returned from sending it.
struct Spot {
  int64_t frame = 0;  // From 1. 0: frames do not matter, `byte` is counted from now on.
  int64_t byte = 0;   // Of the frame, from 0.
};

// The counters of faults say whether a fault has acted.
struct DirectionStats {
  int64_t bytes = 0;       // Forwarded.
  int64_t frames = 0;      // That came in, whole.
  int64_t delayed = 0;     // Pieces that latency or rate kept back,
  int64_t held = 0;        // ... and that a cut or black hole did.
  int64_t lost = 0;        // Pieces and ends that were in a cut when their sender reset.
  int64_t sliced = 0;      // Pieces that were sent for themselves because of Slice.
  int64_t truncated = 0;   // Frames.
  int64_t corrupted = 0;   // Bytes.
  int64_t duplicated = 0;  // Frames.
  int64_t coalesced = 0;   // Writes of several frames.
};

struct RouteStats {
  bool target_is_up = false;    // As far as is known: whoever connects gets through to it.
  int64_t accepted = 0;         // Connections of clients, those turned away included.
  int64_t open = 0;             // Now.
  int64_t turned_away = 0;      // By AcceptThenClose.
  int64_t reset = 0;            // By Reset.
  int64_t closed = 0;           // By CloseConnections.
  int64_t target_refusals = 0;  // The target said that nobody listens; the proxy's probes included.
  DirectionStats to_server;
  DirectionStats to_client;
};

}  // namespace rollcall::fault

#endif  // ROLLCALL_FAULT_INJECTION_PROXY_PROXY_TYPES_H_
