#include "store/server/server_cores.h"

#include <algorithm>
#include <utility>

#include "glog/logging.h"
#include "store/server/loop_number.h"

namespace rollcall {

ServerCores::ServerCores(const std::vector<ServerLoop>& loops, const ServerOptions& options,
                         net::Clock* latency_clock, const ServerSecurity* security)
    : options_(options),
      loops_(loops),
      alive_(std::make_shared<const bool>(true)),
      started_(loops.at(0).loop->Now()),
      doorkeeper_(loops.size(), options.connections_max, options.silent_connections_max),
      transfers_(options.store_limits.memory_bytes_max) {
  CHECK(!loops_.empty() && loops_.size() <= kServerLoopsMax);
  std::vector<Entrance::Room> rooms;
  for (size_t i = 0; i < loops_.size(); ++i) {
    cores_.push_back(std::make_unique<ServerCore>(CoreParts{.loop = loops_[i].loop,
                                                            .number = i,
                                                            .engine = loops_[i].engine,
                                                            .doorkeeper = &doorkeeper_,
                                                            .transfers = &transfers_,
                                                            .latency_clock = latency_clock,
                                                            .security = security},
                                                  options));
    if (transfers_.is_limited()) loops_[i].engine->CountAlso(&transfers_.counter());
    rooms.push_back({.loop = loops_[i].loop, .core = cores_[i].get()});
  }
  entrance_ = std::make_unique<Entrance>(std::move(rooms), &doorkeeper_, options);
}

ServerCores::~ServerCores() {
  if (!transfers_.is_limited()) return;
  for (const ServerLoop& loop : loops_) loop.engine->CountAlso(nullptr);
}

void ServerCores::Shutdown(std::function<void(net::EventLoop*)> done) {
  // Who has been let in comes to its loop before that loop's shutdown does.
  entrance_->Close();
  for (size_t i = 0; i < loops_.size(); ++i) {
    net::EventLoop* const loop = loops_[i].loop;
    auto shut_down = [alive = std::weak_ptr<const bool>(alive_), core = cores_[i].get(), loop,
                      done] {
      if (!alive.expired()) core->Shutdown([loop, done] { done(loop); });
    };
    i == 0 ? shut_down() : loop->Post(std::move(shut_down));
  }
}

ServerStats ServerCores::stats() const {
  ServerStats sum;
  for (const std::unique_ptr<ServerCore>& core : cores_) {
    const ServerStats stats = core->stats();
    sum.connections += stats.connections;
    sum.connections_refused += stats.connections_refused;
    sum.requests += stats.requests;
  }
  sum.connections_accepted = entrance_->accepted();
  sum.connections_refused += entrance_->refused();
  const EngineNumbers numbers = loops_[0].engine->numbers();
  sum.keys = numbers.keys;
  sum.waiting_clients = numbers.waiting_clients;
  return sum;
}

ServerSnapshot ServerCores::Complete(const std::vector<EngineSnapshot>& engine,
                                     const std::vector<LoopSnapshot>& loops, absl::Time now) const {
  ServerSnapshot snapshot = PutTogether(engine, loops);
  snapshot.now = now;
  snapshot.started = started_;
  snapshot.stats = stats();
  snapshot.world_size_flag = options_.expected_clients;
  const auto show = [&snapshot](const std::string& name) {
    if (snapshot.Find(name) == nullptr) snapshot.name_spaces.emplace_back().name = name;
  };
  for (const ServerOptions::NameSpacePort& port : options_.name_space_ports) show(port.name_space);
  for (const auto& [name, quota] : options_.store_limits.own) show(name);
  for (NameSpaceSnapshot& space : snapshot.name_spaces) {
    space.limits = options_.store_limits.Of(space.name);
  }
  std::sort(snapshot.name_spaces.begin() + 1, snapshot.name_spaces.end(),
            [](const NameSpaceSnapshot& a, const NameSpaceSnapshot& b) { return a.name < b.name; });
  snapshot.transfer_bytes = transfers_.bytes();
  snapshot.memory_bytes_max = options_.store_limits.memory_bytes_max;
  return snapshot;
}

}  // namespace rollcall
