// The name spaces of a front: how they are opened and lost, and what etcd tells of them.
#include <optional>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "store/dist_error.h"
#include "store/engine/key_space.h"
#include "store/error_code.h"
#include "store/etcd/etcd_names.h"
#include "store/front/front_state.h"
#include "store/front/front_state_parts.h"
#include "store/protocol/reply.h"

namespace rollcall::front {

using etcd::EtcdNames;
using Change = etcd::EtcdWatch::Change;

namespace {

// Where clients of torch, and ours, count themselves in.
constexpr char kJoinCounter[] = "init/";

std::optional<int64_t> CounterIn(const std::string& value) {
  const absl::StatusOr<int64_t> counter = engine::ParseCounter(value);
  if (!counter.ok()) return std::nullopt;
  return *counter;
}

}  // namespace

// --- The beginning and the end ---

absl::Status FrontState::Start() {
  if (!crew_.Begin()) {
    return StoreStatus(ErrorCode::kResourceExhausted, "no thread for the front's work with etcd",
                       {.operation = "listen"});
  }
  const auto space = std::make_shared<FrontSpace>();
  if (absl::Status opened = TryToOpen(space, options_.etcd.timeout); !opened.ok()) return opened;
  net::MonitorLock lock(monitor_);
  spaces_.emplace("", space);
  PublishNumbers();
  return absl::OkStatus();
}

FrontState::Space FrontState::SpaceOf(absl::string_view name) {
  Space& space = spaces_[name];
  if (space == nullptr) {
    space = std::make_shared<FrontSpace>();
    space->name = std::string(name);
    crew_.Add([this, space] { OpenSpace(space); });
  }
  return space;
}

absl::Status FrontState::TryToOpen(const Space& space, absl::Duration timeout) {
  // One deadline for the session and what is then asked of it.
  const absl::Time now = env_.Now();
  const etcd::EtcdCall call = {.operation = "connect",
                               .started = now,
                               .deadline = now + timeout,
                               .is_given_up = &is_given_up_};
  EtcdOptions options = options_.etcd;
  options.timeout = timeout;
  if (!space->name.empty()) options.prefix = etcd::PrefixOfSpace(options.prefix, space->name);
  absl::StatusOr<std::shared_ptr<etcd::EtcdSession>> session =
      etcd::EtcdSession::Open(env_, std::move(options), etcd::KeyStyle::kOfWire, &is_given_up_);
  if (!session.ok()) return session.status();
  const absl::StatusOr<KeyCount> count = CountKeys(**session, call);
  if (!count.ok()) return count.status();
  const absl::StatusOr<std::vector<etcd::Seen>> joined =
      etcd::LookAt(**session, call, {kJoinCounter}, etcd::Look::kValues);
  if (!joined.ok()) return joined.status();
  auto listener = std::make_unique<Watching>(this, space, *session);
  auto watcher = std::make_unique<FrontWatcher>(session->get(), listener.get(), count->revision);
  net::MonitorLock lock(monitor_);
  space->keys = count->keys;
  if ((*joined)[0].is_there) space->workers_joined = CounterIn((*joined)[0].value);
  space->session = *std::move(session);
  space->listener = std::move(listener);
  space->watcher = std::move(watcher);
  space->state = FrontSpace::State::kOpen;
  if (space->watcher->Start()) return absl::OkStatus();
  return StoreStatus(ErrorCode::kResourceExhausted, "no thread to watch etcd",
                     {.operation = "connect", .peer = space->session->client().peer()});
}

void FrontState::OpenSpace(const Space& space) {
  const absl::Status opened = TryToOpen(space, options_.patience);
  {
    net::MonitorLock lock(monitor_);
    if (!opened.ok()) Lose(space, opened);
    for (const Client& client : std::exchange(space->parked, {})) {
      crew_.Add([this, client] { ServeClient(client); });
    }
    PublishNumbers();
  }
  WakeOthers();
}

void FrontState::Lose(const Space& space, const absl::Status& why) {
  if (space->state == FrontSpace::State::kLost) return;
  space->state = FrontSpace::State::kLost;
  const auto entry = spaces_.find(space->name);
  if (entry != spaces_.end() && entry->second == space) spaces_.erase(entry);
  const std::string reason = absl::StrCat(InfoOf(CodeOf(why)).name, ": ", why.message());
  to_log_.push_back(absl::StrCat("the front cannot go on with ",
                                 space->name.empty() ? "its store" : space->name, ": ", reason));
  for (const auto& [id, client] : clients_) {
    if (client->space == space) Fail(*client, LateKind::kEngineFailed, reason);
  }
  PublishNumbers();
  CloseIfUnused(space);
}

void FrontState::CloseIfUnused(const Space& space) {
  if (space->state != FrontSpace::State::kLost || space->jobs > 0) return;
  if (space->session == nullptr) return;
  // It waits for the watcher's thread, which may be the one that told of the loss.
  crew_.Add([session = std::move(space->session), listener = std::move(space->listener),
             watcher = std::move(space->watcher)]() mutable {
    watcher.reset();
    listener.reset();
    session.reset();
  });
}

// --- What etcd tells ---

void FrontState::Watching::OnChanges(const std::vector<Change>& changes) {
  if (const Space space = space_.lock()) state_.OnChanges(*space, session_->names(), changes);
}

absl::StatusOr<int64_t> FrontState::Watching::OnForgotten(const etcd::EtcdCall& call) {
  if (const Space space = space_.lock()) return state_.OnForgotten(*space, *session_, call);
  return absl::CancelledError("the name space is no more");
}

void FrontState::Watching::OnLost(const absl::Status& why) {
  const Space space = space_.lock();
  if (space == nullptr) return;
  {
    net::MonitorLock lock(state_.monitor_);
    state_.Lose(space, why);
  }
  state_.WakeOthers();
}

void FrontState::OnChanges(FrontSpace& space, const EtcdNames& names,
                           const std::vector<Change>& changes) {
  std::vector<EtcdNames::Place> places;
  for (const Change& change : changes) places.push_back(names.PlaceOf(change.name));
  {
    net::MonitorLock lock(monitor_);
    std::vector<engine::Released> released;
    for (size_t i = 0; i < changes.size(); ++i) {
      const Change& change = changes[i];
      const bool is_put = change.kind != Change::kDeleted;
      if (places[i].kind == EtcdNames::Place::kElement && is_put) {
        space.waits.ElementPut(places[i].name, change.revision, released);
      }
      if (places[i].kind != EtcdNames::Place::kKey) continue;
      const std::string& key = places[i].name;
      if (is_put) space.waits.KeyPut(key, change.value, change.revision, released);
      if (key == kJoinCounter) space.workers_joined = CounterIn(change.value);
      if (engine::IsHidden(key)) continue;
      if (change.kind == Change::kCreated) ++space.keys;
      if (!is_put) --space.keys;
      TellWatches(space, key, change);
    }
    Answer(space, released);
    PublishNumbers();
  }
  WakeOthers();
}

void FrontState::TellWatches(FrontSpace& space, const std::string& key, const Change& change) {
  std::string event;
  const auto encode = [&] {
    const uint8_t kind = change.kind == Change::kCreated   ? protocol::kKeyCreated
                         : change.kind == Change::kDeleted ? protocol::kKeyDeleted
                                                           : protocol::kKeyUpdated;
    return KeyEventReply(kind, key, change.previous, change.value);
  };
  for (const engine::ClientId client : space.watches.Tell(key, change.revision, encode, event)) {
    Say(client, LateKind::kReply, event);
  }
}

absl::StatusOr<int64_t> FrontState::OnForgotten(FrontSpace& space, etcd::EtcdSession& session,
                                                const etcd::EtcdCall& call) {
  const absl::StatusOr<KeyCount> count = CountKeys(session, call);
  if (!count.ok()) return count.status();
  std::vector<std::string> names;
  std::vector<std::string> barriers;
  {
    net::MonitorLock lock(monitor_);
    space.keys = count->keys;
    names = space.waits.AwaitedNames();
    barriers = space.waits.AwaitedBarriers();
    for (const engine::ClientId id : space.watches.Clients()) {
      const auto client = clients_.find(id);
      if (client == clients_.end()) continue;
      Fail(*client->second, LateKind::kEngineFailed,
           "etcd has compacted changes of a key that it watches before they were told");
    }
  }
  for (const etcd::Look look : {etcd::Look::kKeysAndQueues, etcd::Look::kValues}) {
    const std::vector<std::string>& looked = look == etcd::Look::kValues ? barriers : names;
    const absl::StatusOr<std::vector<etcd::Seen>> seen = etcd::LookAt(session, call, looked, look);
    if (!seen.ok()) return seen.status();
    ReleaseSeen(space, looked, *seen, look);
  }
  WakeOthers();
  return count->revision;
}

void FrontState::ReleaseSeen(FrontSpace& space, const std::vector<std::string>& names,
                             const std::vector<etcd::Seen>& seen, etcd::Look look) {
  net::MonitorLock lock(monitor_);
  std::vector<engine::Released> released;
  for (size_t i = 0; i < names.size(); ++i) {
    if (!seen[i].is_there) continue;
    if (look == etcd::Look::kValues) {
      space.waits.KeyPut(names[i], seen[i].value, seen[i].revision, released);
    } else {
      space.waits.IsThere(names[i], seen[i].revision, released);
    }
  }
  Answer(space, released);
  PublishNumbers();
}

}  // namespace rollcall::front
