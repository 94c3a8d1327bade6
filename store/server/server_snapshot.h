// All that a server knows of itself at one moment, as it knows it: what pages, metrics and programs
// are made of, elsewhere and in their own time.
#ifndef ROLLCALL_STORE_SERVER_SERVER_SNAPSHOT_H_
#define ROLLCALL_STORE_SERVER_SERVER_SNAPSHOT_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "net/address.h"
#include "store/engine/duration_histogram.h"
#include "store/engine/store_engine.h"
#include "store/protocol/dialect.h"
#include "store/server/incident.h"
#include "store/server/journal_figures.h"
#include "store/server/server_metrics.h"
#include "store/server/server_stats.h"
#include "store/server/throughput.h"

namespace rollcall {

// Bounds of what a snapshot lists, so that taking one never holds up the loop for long. What is cut
// is counted all the same.
inline constexpr size_t kSnapshotWaitsMax = 65536;
inline constexpr size_t kSnapshotConnectionsMax = 65536;  // On one event loop.
inline constexpr size_t kSnapshotNamelessMax = 256;
inline constexpr size_t kSnapshotNamesMax = 4;        // Of keys that one wait lacks.
inline constexpr size_t kSnapshotNameBytesMax = 256;  // Of one such key.

// The name that users give to the name space whose name is empty.
inline constexpr char kDefaultNameSpace[] = "default";

struct RankSeen {
  int rank = 0;
  net::SocketAddress peer;  // Not valid where it is gone.
  absl::Time joined;
  std::optional<absl::Time> gone;
};

struct WaitSeen {
  net::SocketAddress peer;
  int rank = -1;  // -1: it never said.
  absl::Time since;
  bool at_barrier = false;
  size_t missing = 0;              // How many keys it lacks.
  std::vector<std::string> names;  // The first of them, as they travel, each cut.
};

// A client that has not said which rank it is, as none of torch's ever does.
struct NamelessSeen {
  net::SocketAddress peer;
  std::optional<protocol::Dialect> dialect;  // nullopt: it has said nothing yet.
};

// What is in a store, by itself or together with others.
struct StoreFigures {
  size_t waiting_clients = 0;
  size_t keys = 0;
  size_t queues = 0;
  size_t key_bytes = 0;
  size_t value_bytes = 0;
  size_t memory_bytes = 0;  // As StoreLimits counts it.
  // Of waits that had to wait and were released: how long they did.
  engine::DurationHistogram waiting_times{&engine::kWaitingTimes};

  void MergeFrom(const StoreFigures& other);
};

// One job's share of a server.
struct NameSpaceSnapshot : StoreFigures {
  std::string name;  // "": the default one.
  size_t connections = 0;
  Work work;
  engine::StoreLimits limits;

  int world_size_told = 0;                // As the clients say; 0: they do not.
  std::optional<int64_t> workers_joined;  // torch's count of those who came; it never goes down.
  std::vector<RankSeen> ranks;            // Who ever joined, by rank.
  std::vector<WaitSeen> waits;            // Who has waited longest first.
  size_t nameless_connections = 0;
  std::vector<NamelessSeen> nameless;

  // As users call it.
  std::string ShownName() const;
  // Of who has waited longest; nullopt: nobody waits.
  std::optional<absl::Duration> LongestWait(absl::Time now) const;
};

struct ServerSnapshot {
  absl::Time now;
  absl::Time started;
  ServerStats stats;
  ServerMetrics metrics;
  int world_size_flag = 0;  // As the options say; 0: they do not.
  // The default one first, which is always there; then by name.
  std::vector<NameSpaceSnapshot> name_spaces = std::vector<NameSpaceSnapshot>(1);
  size_t memory_bytes_max = 0;  // Of all together; 0: no limit.
  size_t transfer_bytes = 0;    // On their way, where there is that limit.
  std::optional<JournalFigures> journal;

  // nullptr: there is no such one. "default" is the default one, as "" is.
  const NameSpaceSnapshot* Find(absl::string_view name_space) const;
  // Of all name spaces together.
  StoreFigures TotalFigures() const;

  std::vector<Incident> incidents;  // Oldest first.
  absl::Time seconds_end;
  std::vector<Work> seconds;  // Oldest first, one a second, up to seconds_end.
};

}  // namespace rollcall

#endif  // ROLLCALL_STORE_SERVER_SERVER_SNAPSHOT_H_
