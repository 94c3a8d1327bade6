#include "store/server/snapshot_parts.h"

#include <algorithm>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "store/engine/key_space.h"
#include "store/engine/wait_list.h"
#include "store/server/session.h"

namespace rollcall {
namespace {

// Where clients of torch, and ours, count themselves in.
constexpr char kJoinCounter[] = "init/";

// What is known of a client, wherever it is known.
class ClientIndex {
 public:
  ClientIndex(const EngineSnapshot& engine, const std::vector<LoopSnapshot>& loops) {
    for (const LoopSnapshot& loop : loops) {
      for (const LoopSnapshot::Connection& connection : loop.connections) {
        peers_.emplace(connection.client, &connection.peer);
      }
    }
    // Of those that are gone too, so that it can be said whose connection broke.
    for (const engine::RankPlace& place : engine.ranks) {
      for (const engine::ClientId client : place.clients) ranks_.emplace(client, place.rank);
    }
  }

  net::SocketAddress PeerOf(engine::ClientId client) const {
    const auto peer = peers_.find(client);
    return peer == peers_.end() ? net::SocketAddress() : *peer->second;
  }
  int RankOf(engine::ClientId client) const {
    const auto rank = ranks_.find(client);
    return rank == ranks_.end() ? -1 : rank->second;
  }

 private:
  absl::flat_hash_map<engine::ClientId, const net::SocketAddress*> peers_;
  absl::flat_hash_map<engine::ClientId, int> ranks_;
};

void AddEngine(const EngineSnapshot& engine, const ClientIndex& clients, ServerSnapshot& snapshot) {
  snapshot.queues = engine.queues;
  snapshot.key_bytes = engine.key_bytes;
  snapshot.value_bytes = engine.value_bytes;
  snapshot.waiting_times = engine.waiting_times;
  snapshot.world_size_told = engine.world_size_told;
  snapshot.workers_joined = engine.workers_joined;
  for (const engine::RankPlace& place : engine.ranks) {
    snapshot.ranks.push_back({.rank = place.rank,
                              .peer = clients.PeerOf(place.clients.back()),
                              .joined = place.joined,
                              .gone = place.gone});
  }
  for (const EngineSnapshot::Wait& wait : engine.waits) {
    snapshot.waits.push_back({.peer = clients.PeerOf(wait.client),
                              .rank = clients.RankOf(wait.client),
                              .since = wait.since,
                              .at_barrier = wait.at_barrier,
                              .missing = wait.missing,
                              .names = wait.names});
  }
}

void AddLoop(const LoopSnapshot& loop, const ClientIndex& clients, ServerSnapshot& snapshot) {
  for (const LoopSnapshot::Connection& connection : loop.connections) {
    if (clients.RankOf(connection.client) >= 0) continue;
    ++snapshot.nameless_connections;
    if (snapshot.nameless.size() == kSnapshotNamelessMax) continue;
    snapshot.nameless.push_back({connection.peer, connection.dialect});
  }
  for (const Incident& incident : loop.incidents) {
    snapshot.incidents.push_back(incident);
    snapshot.incidents.back().rank = clients.RankOf(incident.client);
  }
}

}  // namespace

EngineSnapshot TakeEngineSnapshot(const engine::StoreEngine& engine) {
  EngineSnapshot snapshot;
  snapshot.queues = engine.queue_count();
  snapshot.key_bytes = engine.key_bytes();
  snapshot.value_bytes = engine.value_bytes();
  snapshot.waiting_times = engine.waiting_times();
  snapshot.world_size_told = engine.ranks().world_size();
  if (const std::string* const joined = engine.ValueOf(kJoinCounter)) {
    const absl::StatusOr<int64_t> count = engine::ParseCounter(*joined);
    if (count.ok()) snapshot.workers_joined = *count;
  }
  snapshot.ranks = engine.ranks().All();
  for (const engine::PendingWait& wait :
       engine.PendingWaits(kSnapshotWaitsMax, kSnapshotNamesMax)) {
    EngineSnapshot::Wait& seen = snapshot.waits.emplace_back();
    seen.client = wait.client;
    seen.since = wait.since;
    seen.at_barrier = wait.at_barrier;
    seen.missing = wait.missing;
    for (const absl::string_view name : wait.names) {
      seen.names.emplace_back(name.substr(0, kSnapshotNameBytesMax));
    }
  }
  return snapshot;
}

LoopSnapshot TakeLoopSnapshot(const SessionTable& sessions, const Meter& meter) {
  LoopSnapshot snapshot;
  snapshot.metrics = meter.metrics();
  for (Session* const session : sessions.All()) {
    if (snapshot.connections.size() == kSnapshotConnectionsMax) break;
    snapshot.connections.push_back(
        {session->id(), session->stream().peer_address(), session->dialect});
  }
  snapshot.incidents.assign(meter.incidents().begin(), meter.incidents().end());
  snapshot.seconds_end = meter.throughput().ends_at();
  snapshot.seconds = meter.throughput().Seconds();
  return snapshot;
}

ServerSnapshot PutTogether(const EngineSnapshot& engine, const std::vector<LoopSnapshot>& loops) {
  const ClientIndex clients(engine, loops);
  ServerSnapshot snapshot;
  snapshot.metrics = loops[0].metrics;
  snapshot.seconds_end = loops[0].seconds_end;
  snapshot.seconds = loops[0].seconds;
  AddEngine(engine, clients, snapshot);
  for (size_t i = 0; i < loops.size(); ++i) {
    AddLoop(loops[i], clients, snapshot);
    if (i == 0) continue;
    snapshot.metrics.MergeFrom(loops[i].metrics);
    AddSeconds(loops[i].seconds_end, loops[i].seconds, snapshot.seconds_end, snapshot.seconds);
  }
  std::stable_sort(snapshot.incidents.begin(), snapshot.incidents.end(),
                   [](const Incident& a, const Incident& b) { return a.when < b.when; });
  return snapshot;
}

}  // namespace rollcall
