// The server without its threads: a door, and for each event loop the connections that it serves.
#ifndef ROLLCALL_STORE_SERVER_SERVER_CORES_H_
#define ROLLCALL_STORE_SERVER_SERVER_CORES_H_

#include <cstddef>
#include <functional>
#include <memory>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "net/address.h"
#include "net/clock.h"
#include "net/event_loop.h"
#include "store/server/doorkeeper.h"
#include "store/server/engine_port.h"
#include "store/server/entrance.h"
#include "store/server/server_core.h"
#include "store/server/server_options.h"
#include "store/server/server_security.h"
#include "store/server/server_snapshot.h"
#include "store/server/server_stats.h"
#include "store/server/snapshot_parts.h"
#include "store/server/transfer_memory.h"

namespace rollcall {

struct ServerLoop {
  net::EventLoop* loop = nullptr;
  EnginePort* engine = nullptr;
};

// On whatever event loops it is given, simulated ones as well. All but stats() is for the first
// loop's thread, or for any one thread while no loop runs.
class ServerCores {
 public:
  // At least one loop, at most kServerLoopsMax, all of one kind and one Env. They and the engine
  // must outlive this, and none of them may run when it is destroyed. `options` must be valid.
  // Latencies are measured where `latency_clock` is given: it must be the loops' own, and outlive
  // this. So must `security` (nullptr: everybody is let in, in clear, whatever the options say).
  ServerCores(const std::vector<ServerLoop>& loops, const ServerOptions& options,
              net::Clock* latency_clock = nullptr, const ServerSecurity* security = nullptr);

  // As Entrance::Open and addresses.
  absl::Status Listen(const std::vector<net::SocketAddress>& addresses) {
    return entrance_->Open(options_, addresses);
  }
  const std::vector<net::SocketAddress>& addresses() const { return entrance_->addresses(); }
  // As Entrance::OpenTls and tls_addresses.
  absl::Status ListenTls(const std::vector<net::SocketAddress>& addresses) {
    return entrance_->OpenTls(options_, addresses);
  }
  const std::vector<net::SocketAddress>& tls_addresses() const {
    return entrance_->tls_addresses();
  }

  // As Entrance::OpenForNameSpace and name_space_addresses.
  absl::Status ListenForNameSpace(size_t index, const std::vector<net::SocketAddress>& addresses) {
    return entrance_->OpenForNameSpace(options_, index, addresses);
  }
  const std::vector<net::SocketAddress>& name_space_addresses(size_t index) const {
    return entrance_->name_space_addresses(index);
  }

  // Closes the door, and then every connection; those with unsent replies have
  // options.shutdown_grace to take them. `done` runs later on each loop, with that loop, when all
  // that it serves is closed. Once.
  void Shutdown(std::function<void(net::EventLoop*)> done);

  ~ServerCores();

  // From any thread. Includes all that any client has seen the effect of.
  ServerStats stats() const;

  // --- Snapshots (snapshot_parts.h) ---
  // What one loop knows, and what the engine does; on that loop's thread, or the first one's.
  LoopSnapshot SnapshotOfLoop(size_t loop) { return cores_[loop]->Snapshot(); }
  std::vector<EngineSnapshot> SnapshotOfEngine() { return loops_[0].engine->Snapshot(); }
  // From any thread: the whole, of all loops' parts.
  ServerSnapshot Complete(const std::vector<EngineSnapshot>& engine,
                          const std::vector<LoopSnapshot>& loops, absl::Time now) const;

 private:
  const ServerOptions options_;
  const std::vector<ServerLoop> loops_;
  const std::shared_ptr<const bool> alive_;  // What posted work holds weakly.
  const absl::Time started_;
  Doorkeeper doorkeeper_;
  TransferMemory transfers_;
  std::vector<std::unique_ptr<ServerCore>> cores_;  // By loop.
  std::unique_ptr<Entrance> entrance_;
};

}  // namespace rollcall

#endif  // ROLLCALL_STORE_SERVER_SERVER_CORES_H_
