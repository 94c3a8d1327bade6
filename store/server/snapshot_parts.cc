#include "store/server/snapshot_parts.h"

#include <algorithm>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "store/engine/key_space.h"
#include "store/server/session.h"

namespace rollcall {
namespace {

// Where clients of torch, and ours, count themselves in.
constexpr char kJoinCounter[] = "init/";

// What is known of a client, wherever it is known.
class ClientIndex {
 public:
  ClientIndex(const std::vector<EngineSnapshot>& engine, const std::vector<LoopSnapshot>& loops) {
    for (const LoopSnapshot& loop : loops) {
      for (const LoopSnapshot::Connection& connection : loop.connections) {
        peers_.emplace(connection.client, &connection.peer);
      }
    }
    // Of those that are gone too, so that it can be said whose connection broke.
    for (const EngineSnapshot& part : engine) {
      for (const engine::RankPlace& place : part.ranks) {
        for (const engine::ClientId client : place.clients) ranks_.emplace(client, place.rank);
      }
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

NameSpaceSnapshot OfEngine(const EngineSnapshot& engine, const ClientIndex& clients) {
  NameSpaceSnapshot space;
  static_cast<StoreFigures&>(space) = engine;
  space.name = engine.name_space;
  space.world_size_told = engine.world_size_told;
  space.workers_joined = engine.workers_joined;
  for (const engine::RankPlace& place : engine.ranks) {
    space.ranks.push_back({.rank = place.rank,
                           .peer = clients.PeerOf(place.clients.back()),
                           .joined = place.joined,
                           .gone = place.gone});
  }
  for (const EngineSnapshot::Wait& wait : engine.waits) {
    space.waits.push_back({.peer = clients.PeerOf(wait.client),
                           .rank = clients.RankOf(wait.client),
                           .since = wait.since,
                           .at_barrier = wait.at_barrier,
                           .missing = wait.missing,
                           .names = wait.names});
  }
  return space;
}

// The name space of this name, which may have no key yet and so be none of the engine's.
NameSpaceSnapshot& SpaceOf(absl::string_view name, ServerSnapshot& snapshot) {
  for (NameSpaceSnapshot& space : snapshot.name_spaces) {
    if (space.name == name) return space;
  }
  NameSpaceSnapshot& space = snapshot.name_spaces.emplace_back();
  space.name = std::string(name);
  return space;
}

void AddLoop(const LoopSnapshot& loop, const ClientIndex& clients, ServerSnapshot& snapshot) {
  for (const LoopSnapshot::Connection& connection : loop.connections) {
    if (clients.RankOf(connection.client) >= 0) continue;
    NameSpaceSnapshot& space =
        SpaceOf(connection.name_space == nullptr ? "" : *connection.name_space, snapshot);
    ++space.nameless_connections;
    if (space.nameless.size() == kSnapshotNamelessMax) continue;
    space.nameless.push_back({connection.peer, connection.dialect});
  }
  for (const auto& [name, traffic] : loop.traffics) {
    NameSpaceSnapshot& space = SpaceOf(name, snapshot);
    space.connections += traffic.connections;
    space.work += traffic.work;
  }
  for (const Incident& incident : loop.incidents) {
    snapshot.incidents.push_back(incident);
    snapshot.incidents.back().rank = clients.RankOf(incident.client);
  }
}

// The default one has what the others have not.
void SetDefaultTraffic(const std::vector<LoopSnapshot>& loops, ServerSnapshot& snapshot) {
  NameSpaceSnapshot& space = snapshot.name_spaces.front();
  space.work = snapshot.metrics.work;
  for (const LoopSnapshot& loop : loops) space.connections += loop.connections_in_all;
  for (size_t i = 1; i < snapshot.name_spaces.size(); ++i) {
    const NameSpaceSnapshot& other = snapshot.name_spaces[i];
    space.connections -= other.connections;
    space.work -= other.work;
  }
}

}  // namespace

std::vector<EngineSnapshot::Wait> WaitsToShow(const std::vector<engine::PendingWait>& waits) {
  std::vector<EngineSnapshot::Wait> shown;
  shown.reserve(waits.size());
  for (const engine::PendingWait& wait : waits) {
    EngineSnapshot::Wait& seen = shown.emplace_back();
    seen.client = wait.client;
    seen.since = wait.since;
    seen.at_barrier = wait.at_barrier;
    seen.missing = wait.missing;
    for (const absl::string_view name : wait.names) {
      seen.names.emplace_back(name.substr(0, kSnapshotNameBytesMax));
    }
  }
  return shown;
}

EngineSnapshot TakeEngineSnapshot(const engine::StoreEngine& engine) {
  EngineSnapshot snapshot;
  snapshot.waiting_clients = engine.waiting_clients();
  snapshot.keys = engine.key_count();
  snapshot.memory_bytes = engine.memory_bytes();
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
  snapshot.waits = WaitsToShow(engine.PendingWaits(kSnapshotWaitsMax, kSnapshotNamesMax));
  return snapshot;
}

std::vector<EngineSnapshot> TakeEngineSnapshots(const engine::NameSpaces& stores) {
  std::vector<EngineSnapshot> snapshots;
  stores.ForEach([&](absl::string_view name, const engine::StoreEngine& engine) {
    snapshots.push_back(TakeEngineSnapshot(engine));
    snapshots.back().name_space = std::string(name);
  });
  return snapshots;
}

LoopSnapshot TakeLoopSnapshot(const SessionTable& sessions, const NameSpaceTraffics& traffics,
                              const Meter& meter) {
  LoopSnapshot snapshot;
  snapshot.metrics = meter.metrics();
  snapshot.traffics = traffics;
  snapshot.connections_in_all = sessions.size();
  for (Session* const session : sessions.All()) {
    if (snapshot.connections.size() == kSnapshotConnectionsMax) break;
    snapshot.connections.push_back(
        {session->id(), session->stream().peer_address(), session->dialect,
         session->admission == nullptr ? nullptr : session->admission->name_space});
  }
  snapshot.incidents.assign(meter.incidents().begin(), meter.incidents().end());
  snapshot.seconds_end = meter.throughput().ends_at();
  snapshot.seconds = meter.throughput().Seconds();
  return snapshot;
}

ServerSnapshot PutTogether(const std::vector<EngineSnapshot>& engine,
                           const std::vector<LoopSnapshot>& loops) {
  const ClientIndex clients(engine, loops);
  ServerSnapshot snapshot;
  snapshot.metrics = loops[0].metrics;
  snapshot.seconds_end = loops[0].seconds_end;
  snapshot.seconds = loops[0].seconds;
  snapshot.name_spaces.clear();
  for (const EngineSnapshot& part : engine) snapshot.name_spaces.push_back(OfEngine(part, clients));
  for (size_t i = 0; i < loops.size(); ++i) {
    AddLoop(loops[i], clients, snapshot);
    if (i == 0) continue;
    snapshot.metrics.MergeFrom(loops[i].metrics);
    AddSeconds(loops[i].seconds_end, loops[i].seconds, snapshot.seconds_end, snapshot.seconds);
  }
  SetDefaultTraffic(loops, snapshot);
  // Who had clients once and is forgotten by the engine.
  snapshot.name_spaces.erase(
      std::remove_if(snapshot.name_spaces.begin() + static_cast<ptrdiff_t>(engine.size()),
                     snapshot.name_spaces.end(),
                     [](const NameSpaceSnapshot& space) { return space.connections == 0; }),
      snapshot.name_spaces.end());
  std::stable_sort(snapshot.incidents.begin(), snapshot.incidents.end(),
                   [](const Incident& a, const Incident& b) { return a.when < b.when; });
  return snapshot;
}

}  // namespace rollcall
