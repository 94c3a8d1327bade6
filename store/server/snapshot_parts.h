// The parts that a snapshot is put together from: what the engine knows, and what each event loop
// knows of its connections. Each is taken where it is known, in little time; the rest is for
// whoever asked.
#ifndef ROLLCALL_STORE_SERVER_SNAPSHOT_PARTS_H_
#define ROLLCALL_STORE_SERVER_SNAPSHOT_PARTS_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "net/address.h"
#include "store/engine/client_id.h"
#include "store/engine/name_spaces.h"
#include "store/engine/rank_list.h"
#include "store/engine/store_engine.h"
#include "store/engine/wait_list.h"
#include "store/protocol/dialect.h"
#include "store/server/incident.h"
#include "store/server/meter.h"
#include "store/server/name_space_traffic.h"
#include "store/server/server_metrics.h"
#include "store/server/server_snapshot.h"
#include "store/server/session_table.h"
#include "store/server/throughput.h"

namespace rollcall {

// Of one name space.
struct EngineSnapshot : StoreFigures {
  struct Wait {
    engine::ClientId client = 0;
    absl::Time since;
    bool at_barrier = false;
    size_t missing = 0;
    std::vector<std::string> names;
  };

  std::string name_space;  // "": the default one.
  int world_size_told = 0;
  std::optional<int64_t> workers_joined;
  std::vector<engine::RankPlace> ranks;
  std::vector<Wait> waits;  // Who has waited longest first.
};

// What of them is shown.
std::vector<EngineSnapshot::Wait> WaitsToShow(const std::vector<engine::PendingWait>& waits);
// About half a millisecond for 4,096 ranks that wait.
EngineSnapshot TakeEngineSnapshot(const engine::StoreEngine& engine);
std::vector<EngineSnapshot> TakeEngineSnapshots(const engine::NameSpaces& stores);

struct LoopSnapshot {
  struct Connection {
    engine::ClientId client = 0;
    net::SocketAddress peer;
    std::optional<protocol::Dialect> dialect;
    std::shared_ptr<const std::string> name_space;  // nullptr: the default one.
  };

  ServerMetrics metrics;
  NameSpaceTraffics traffics;
  size_t connections_in_all = 0;
  std::vector<Connection> connections;  // At most kSnapshotConnectionsMax.
  std::vector<Incident> incidents;
  absl::Time seconds_end;
  std::vector<Work> seconds;
};

// On the loop's thread.
LoopSnapshot TakeLoopSnapshot(const SessionTable& sessions, const NameSpaceTraffics& traffics,
                              const Meter& meter);

// Of the result, all but `now`, `started`, `stats` and what the options say, which are the caller's
// to know. At least one loop, and of the engine the default name space, which is first.
ServerSnapshot PutTogether(const std::vector<EngineSnapshot>& engine,
                           const std::vector<LoopSnapshot>& loops);

}  // namespace rollcall

#endif  // ROLLCALL_STORE_SERVER_SNAPSHOT_PARTS_H_
