#include "store/front/front_state.h"

#include <algorithm>
#include <map>
#include <utility>

#include "glog/logging.h"
#include "store/front/front_state_parts.h"
#include "store/protocol/features.h"
#include "store/protocol/operation.h"
#include "store/server/loop_number.h"
#include "store/server/server_snapshot.h"

namespace rollcall::front {

using protocol::Operation;
using protocol::Request;

namespace {

// What one client may have asked for before it is not read from any more, and at which it is again.
// Each of these can be answered with a large value, so that there must not be many.
constexpr size_t kRequestsMax = 16;
constexpr size_t kBytesMax = size_t{4} << 20;
// What all of them together may take: from there on each may have one request.
constexpr size_t kAllBytesMax = size_t{256} << 20;

}  // namespace

size_t BytesOf(const Request& request) {
  size_t bytes = sizeof(Request);
  for (const std::string& key : request.keys) bytes += sizeof(key) + key.size();
  for (const std::string& value : request.values) bytes += sizeof(value) + value.size();
  return bytes;
}

FrontState::FrontState(net::Env& env, size_t loops, FrontOptions options)
    : env_(env),
      options_(std::move(options)),
      owned_monitor_(env.NewMonitor()),
      monitor_(owned_monitor_.get()),
      crew_(env, options_.threads_max) {
  for (size_t i = 0; i < loops; ++i) loops_.push_back(std::make_unique<Loop>(env));
}

FrontState::~FrontState() {
  crew_.Wake();
  if (!crew_.AwaitIdle(env_.Now() + options_.farewell)) {
    LOG(WARNING) << "some of what clients have asked for last was not done: etcd did not do it in "
                 << absl::FormatDuration(options_.farewell);
  }
  is_given_up_ = true;
  crew_.Stop();
  // They tell this of changes, which must be whole until then.
  std::vector<std::unique_ptr<FrontWatcher>> watchers;
  {
    net::MonitorLock lock(monitor_);
    for (auto& [name, space] : spaces_) watchers.push_back(std::move(space->watcher));
  }
  watchers.clear();
}

// --- Loops ---

void FrontState::SetWake(size_t loop, absl::AnyInvocable<void()> wake) {
  loops_[loop]->wake.Set(std::move(wake));
}

void FrontState::TakeLate(size_t loop, LateReplies& late) {
  net::MonitorLock lock(monitor_);
  loops_[loop]->is_woken = false;
  if (!loops_[loop]->inbox.empty()) loops_[loop]->inbox.Swap(late);
}

void FrontState::WakeOthers() {
  std::vector<size_t> to_wake;
  std::vector<std::string> to_log;
  {
    net::MonitorLock lock(monitor_);
    to_wake.swap(to_wake_);
    to_log.swap(to_log_);
  }
  for (const std::string& line : to_log) LOG(WARNING) << line;
  for (const size_t loop : to_wake) loops_[loop]->wake.Wake();
  crew_.Wake();
}

void FrontState::Say(engine::ClientId to, LateKind kind, absl::string_view bytes) {
  Loop& loop = *loops_[LoopOf(to)];
  if (kind == LateKind::kReply) {
    loop.inbox.AppendBounded(loop.inbox.size_bytes(), to, bytes);
  } else {
    loop.inbox.Append(to, kind, bytes);
  }
  if (!std::exchange(loop.is_woken, true)) to_wake_.push_back(LoopOf(to));
}

void FrontState::Reply(const FrontClient& to, absl::string_view bytes) {
  if (to.is_connected && !to.has_failed && !bytes.empty()) Say(to.id, LateKind::kReply, bytes);
}

// --- Clients ---

void FrontState::Connect(engine::ClientId id, protocol::Dialect dialect,
                         absl::string_view name_space) {
  net::MonitorLock lock(monitor_);
  auto client = std::make_shared<FrontClient>();
  client->id = id;
  client->is_legacy = dialect != protocol::Dialect::kModern;
  client->space = SpaceOf(name_space);
  clients_.insert_or_assign(id, std::move(client));
}

bool FrontState::Disconnect(engine::ClientId id, absl::Time now) {
  net::MonitorLock lock(monitor_);
  const auto entry = clients_.find(id);
  if (entry == clients_.end()) return false;
  const Client client = std::move(entry->second);
  clients_.erase(entry);
  full_.erase(id);
  client->is_connected = false;
  FrontSpace& space = *client->space;
  const bool waited = space.waits.Drop(id);
  space.watches.Drop(id);
  space.ranks.ClientGone(id, now);
  PublishNumbers();
  return waited;
}

void FrontState::Apply(engine::ClientId id, Request& request, absl::Time now) {
  net::MonitorLock lock(monitor_);
  const auto entry = clients_.find(id);
  if (entry == clients_.end()) {
    return Say(id, LateKind::kHangUp, "a request from a client that is not connected");
  }
  const Client& client = entry->second;
  if (client->has_failed) return;
  if (request.operation == Operation::kSet) {
    client->space->ranks.Note(id, request.keys[0], request.values[0], now);
  }
  const size_t bytes = BytesOf(request);
  ++client->requests;
  client->bytes += bytes;
  all_bytes_ += bytes;
  client->queue.push_back(std::move(request));
  if (client->state == FrontClient::State::kIdle) return Advance(client);
  // What is at work may take long; who gives it up need not wait for that.
  const bool looks = client->at_work == Operation::kWait || client->at_work == Operation::kBarrier;
  if (client->state == FrontClient::State::kAtWork && looks && client->queue.size() == 1 &&
      client->queue.front().operation == Operation::kCancelWait) {
    CancelWaits(*client);
  }
}

void FrontState::CancelWaits(FrontClient& client) {
  TakeFirst(client);
  Forget(client, 1, sizeof(Request));
  client.space->waits.Drop(client.id);
  Reply(client, SignalReply(protocol::kWaitCanceled));
  PublishNumbers();
}

void FrontState::Advance(const Client& client) {
  client->state = FrontClient::State::kIdle;
  if (client->has_failed) ForgetQueue(*client);
  while (!client->queue.empty()) {
    const Request& first = client->queue.front();
    const Operation operation = first.operation;
    // A legacy client that sends something while its wait is pending has given that wait up.
    if (client->is_legacy && client->space->waits.Drop(client->id)) PublishNumbers();
    if (operation == Operation::kCancelWait) {
      CancelWaits(*client);
    } else if (operation == Operation::kPing) {
      Reply(*client, NonceReply(protocol::PingAnswer(first.number)));
      Forget(*client, 1, BytesOf(TakeFirst(*client)));
    } else if (!client->is_connected && !Changes(operation)) {
      Forget(*client, 1, BytesOf(TakeFirst(*client)));
    } else {
      client->state = FrontClient::State::kReady;
      client->ready_since = env_.Now();
      if (client->space->state == FrontSpace::State::kOpening) {
        client->space->parked.push_back(client);
      } else {
        crew_.Add([this, client] { ServeClient(client); });
      }
      return;
    }
  }
  if (std::exchange(client->is_leaving, false) && client->is_connected) {
    Say(client->id, LateKind::kGoOn, "");
  }
}

Request FrontState::TakeFirst(FrontClient& client) {
  Request first = std::move(client.queue.front());
  client.queue.pop_front();
  return first;
}

void FrontState::Forget(FrontClient& client, size_t requests, size_t bytes) {
  client.requests -= requests;
  client.bytes -= bytes;
  const bool had_too_much = all_bytes_ > kAllBytesMax / 2;
  all_bytes_ -= bytes;
  LetGoOn(client);
  if (!had_too_much || all_bytes_ > kAllBytesMax / 2) return;
  for (const engine::ClientId id : std::vector<engine::ClientId>(full_.begin(), full_.end())) {
    LetGoOn(*clients_.at(id));
  }
}

void FrontState::ForgetQueue(FrontClient& client) {
  for (size_t left = client.queue.size(); left > 0; --left) {
    Forget(client, 1, BytesOf(TakeFirst(client)));
  }
}

void FrontState::Fail(FrontClient& client, LateKind kind, absl::string_view reason) {
  if (std::exchange(client.has_failed, true) || !client.is_connected) return;
  client.space->waits.Drop(client.id);
  client.space->watches.Drop(client.id);
  Say(client.id, kind, reason);
  PublishNumbers();
}

// --- Not too much at once ---

bool FrontState::HasTooMuch(const FrontClient& client) const {
  return client.requests >= kRequestsMax || client.bytes >= kBytesMax ||
         (client.requests > 0 && all_bytes_ >= kAllBytesMax);
}

bool FrontState::IsFull(engine::ClientId id) {
  net::MonitorLock lock(monitor_);
  const auto client = clients_.find(id);
  if (client == clients_.end() || !HasTooMuch(*client->second)) return false;
  client->second->is_full = true;
  full_.insert(id);
  return true;
}

void FrontState::LetGoOn(FrontClient& client) {
  if (!client.is_full || HasTooMuch(client)) return;
  // Not for each one, but for some.
  if (client.requests > kRequestsMax / 2) return;
  client.is_full = false;
  full_.erase(client.id);
  if (client.is_connected) Say(client.id, LateKind::kGoOn, "");
}

bool FrontState::IsDone(engine::ClientId id) {
  net::MonitorLock lock(monitor_);
  const auto client = clients_.find(id);
  if (client == clients_.end()) return true;
  if (client->second->state != FrontClient::State::kIdle) {
    client->second->is_leaving = true;
    return false;
  }
  if (loops_[LoopOf(id)]->inbox.empty()) return true;
  // Perhaps with its last reply.
  Say(id, LateKind::kGoOn, "");
  return false;
}

// --- What is told ---

void FrontState::Answer(FrontSpace& space, const std::vector<engine::Released>& released) {
  const absl::Time now = env_.Now();
  for (const engine::Released& one : released) {
    space.waiting_times.Observe(now - one.since);
    Say(one.client, LateKind::kReply, SignalReply(protocol::kStopWaiting));
  }
}

void FrontState::PublishNumbers() {
  int64_t keys = 0;
  size_t waiting_clients = 0;
  for (const auto& [name, space] : spaces_) {
    keys += std::max<int64_t>(space->keys, 0);
    waiting_clients += space->waits.waiting_clients();
  }
  keys_.store(static_cast<size_t>(keys), std::memory_order_relaxed);
  waiting_clients_.store(waiting_clients, std::memory_order_relaxed);
}

EngineNumbers FrontState::numbers() const {
  return {.keys = keys_.load(std::memory_order_relaxed),
          .waiting_clients = waiting_clients_.load(std::memory_order_relaxed)};
}

bool FrontState::Awaits(engine::ClientId id) {
  net::MonitorLock lock(monitor_);
  const auto entry = clients_.find(id);
  if (entry == clients_.end()) return false;
  const FrontClient& client = *entry->second;
  return client.requests > 0 || client.space->waits.IsWaiting(id) ||
         client.space->watches.IsWatching(id);
}

std::vector<EngineSnapshot> FrontState::Snapshot() {
  net::MonitorLock lock(monitor_);
  std::vector<EngineSnapshot> snapshots;
  // The default one is there, and first, even where it has just been lost.
  std::map<std::string, Space> spaces(spaces_.begin(), spaces_.end());
  spaces.emplace("", nullptr);
  for (const auto& [name, space] : spaces) {
    EngineSnapshot& snapshot = snapshots.emplace_back();
    snapshot.name_space = name;
    if (space != nullptr) Describe(*space, snapshot);
  }
  return snapshots;
}

void FrontState::Describe(const FrontSpace& space, EngineSnapshot& snapshot) {
  snapshot.keys = static_cast<size_t>(std::max<int64_t>(space.keys, 0));
  snapshot.waiting_clients = space.waits.waiting_clients();
  snapshot.waiting_times = space.waiting_times;
  snapshot.world_size_told = space.ranks.world_size();
  snapshot.workers_joined = space.workers_joined;
  snapshot.ranks = space.ranks.All();
  snapshot.waits = WaitsToShow(space.waits.Pending(kSnapshotWaitsMax, kSnapshotNamesMax));
}

}  // namespace rollcall::front
