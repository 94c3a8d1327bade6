#include "store/journal/journaled_engine.h"

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_cat.h"
#include "glog/logging.h"
#include "net/monitor.h"
#include "store/engine/name_spaces.h"
#include "store/engine/store_engine.h"
#include "store/journal/pending_changes.h"
#include "store/journal/session_book.h"
#include "store/protocol/features.h"
#include "store/protocol/operation.h"
#include "store/protocol/reply.h"
#include "store/protocol/reply_writer.h"
#include "store/protocol/request_number.h"
#include "store/server/engine_port.h"
#include "store/server/late_replies.h"
#include "store/server/loop_number.h"
#include "store/server/loop_wake.h"
#include "store/server/snapshot_parts.h"

namespace rollcall {
namespace {

using protocol::Operation;
using protocol::Reply;
using protocol::ReplyKind;

// A client of whose replies more is held back is not read from.
constexpr size_t kHeldBytesMax = size_t{1} << 20;

// As a SharedEngine, a batch holds the one lock from Begin to End.
class JournaledEngine final : public ServerEngine {
 public:
  JournaledEngine(net::Env& env, size_t loops, std::unique_ptr<Journal> journal,
                  std::function<void(const absl::Status&)> on_failure);
  ~JournaledEngine() override { Stop(); }

  // Reads the journal and begins to write it.
  absl::Status Start();

  EnginePort* port(size_t loop) const override;
  bool has_name_spaces() const override { return true; }

 private:
  class Port;

  void Stop();
  absl::Status Restore(JournalChange change) ABSL_EXCLUSIVE_LOCKS_REQUIRED(monitor_);
  bool has_changes() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(monitor_) {
    if (sessions_.has_changes()) return true;
    return std::any_of(changes_.begin(), changes_.end(),
                       [](const auto& entry) { return !entry.second.empty(); });
  }
  // Nothing that was applied is missing in the journal.
  bool is_clean() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(monitor_) {
    return !committing_ && !has_changes();
  }
  void WriteJournal();
  std::vector<JournalChange> TakeChanges() ABSL_EXCLUSIVE_LOCKS_REQUIRED(monitor_);
  // After a commit, without the lock.
  void Wake(const std::vector<Port*>& ports);

  net::Env& env_;
  const std::unique_ptr<Journal> journal_;
  const std::function<void(const absl::Status&)> on_failure_;
  const std::unique_ptr<net::Monitor> owned_monitor_;
  net::Monitor* const monitor_;
  engine::NameSpaces stores_ ABSL_GUARDED_BY(monitor_);
  // By name space; of one that is gone, until the next commit has begun.
  std::map<std::string, PendingChanges, std::less<>> changes_ ABSL_GUARDED_BY(monitor_);
  SessionBook sessions_ ABSL_GUARDED_BY(monitor_);
  bool committing_ ABSL_GUARDED_BY(monitor_) = false;
  bool writer_waits_ ABSL_GUARDED_BY(monitor_) = false;
  bool stopping_ ABSL_GUARDED_BY(monitor_) = false;
  absl::Status failed_ ABSL_GUARDED_BY(monitor_);
  std::vector<std::unique_ptr<Port>> ports_;
  std::atomic<size_t> keys_{0};
  std::atomic<size_t> waiting_clients_{0};
  std::unique_ptr<net::Thread> writer_;
};

// Of replies that are late, `gathered_` have to wait for the next commit, `committing_` for the one
// that is on its way, and `inbox_` for the loop.
class JournaledEngine::Port final : public EnginePort {
 public:
  explicit Port(JournaledEngine* engine) : shared_(*engine), wake_(engine->env_) {}

  void SetWake(absl::AnyInvocable<void()> wake) override { wake_.Set(std::move(wake)); }

  void Begin(LateReplies& late) override ABSL_NO_THREAD_SAFETY_ANALYSIS {
    shared_.monitor_->Lock();
    is_woken_ = false;
    if (!shared_.failed_.ok()) HangUpOnAll();
    if (!inbox_.empty()) GiveInbox(late);
  }

  void End() override ABSL_NO_THREAD_SAFETY_ANALYSIS {
    shared_.keys_.store(shared_.stores_.key_count(), std::memory_order_relaxed);
    shared_.waiting_clients_.store(shared_.stores_.waiting_clients(), std::memory_order_relaxed);
    if (shared_.writer_waits_ && shared_.has_changes()) shared_.monitor_->NotifyAll();
    shared_.monitor_->Unlock();
    for (Port* const port : to_wake_) port->Wake();
    to_wake_.clear();
  }

  void Connect(engine::ClientId client, protocol::Dialect dialect,
               absl::string_view name_space) override ABSL_NO_THREAD_SAFETY_ANALYSIS {
    clients_.insert(client);
    shared_.stores_.Connect(client, dialect, name_space);
  }

  bool Disconnect(engine::ClientId client, absl::Time now) override ABSL_NO_THREAD_SAFETY_ANALYSIS {
    clients_.erase(client);
    held_.erase(client);
    awaits_go_on_.erase(client);
    hung_up_.erase(client);
    numbers_.erase(client);
    shared_.sessions_.Leave(client, now);
    return shared_.stores_.Disconnect(client, now);
  }

  bool Awaits(engine::ClientId client) override ABSL_NO_THREAD_SAFETY_ANALYSIS {
    return shared_.stores_.Awaits(client);
  }

  void Apply(engine::ClientId from, protocol::Request& request, absl::Time now,
             engine::Replies& replies) override ABSL_NO_THREAD_SAFETY_ANALYSIS;

  bool replies_outlive_batches() const override { return false; }
  bool answers_later() const override { return true; }
  bool IsFull(engine::ClientId client) override {
    const auto held = held_.find(client);
    if (held == held_.end() || held->second <= kHeldBytesMax) return false;
    awaits_go_on_.insert(client);
    return true;
  }
  bool IsDone(engine::ClientId client) override {
    if (!held_.contains(client)) return true;
    awaits_go_on_.insert(client);
    return false;
  }
  uint32_t features() const override { return protocol::kServerFeatures | protocol::kKeepsJournal; }

  std::vector<EngineSnapshot> Snapshot() override {
    net::MonitorLock lock(shared_.monitor_);
    return TakeEngineSnapshots(shared_.stores_);
  }

  EngineNumbers numbers() const override {
    return {.keys = shared_.keys_.load(std::memory_order_relaxed),
            .waiting_clients = shared_.waiting_clients_.load(std::memory_order_relaxed)};
  }

  // --- For the engine, under its lock ---
  void BeginCommit() { committing_.Take(gathered_); }
  // `all`: what was gathered meanwhile shows nothing that the journal lacks. True if the loop is to
  // be woken.
  bool EndCommit(bool all) {
    inbox_.Take(committing_);
    if (all) inbox_.Take(gathered_);
    return !inbox_.empty() && !std::exchange(is_woken_, true);
  }
  void DropAll() {
    committing_ = {};
    gathered_ = {};
    inbox_ = {};
    held_.clear();
    // Who was to be hung up on may not have been yet: what would have said so was among it.
    hung_up_.clear();
  }
  void Wake() { wake_.Wake(); }

 private:
  void ApplyNumbered(engine::ClientId from, int64_t number, protocol::Request& request,
                     absl::Time now, engine::Replies& replies) ABSL_NO_THREAD_SAFETY_ANALYSIS;
  void UseSession(engine::ClientId from, const protocol::Request& request, absl::Time now,
                  engine::Replies& replies) ABSL_NO_THREAD_SAFETY_ANALYSIS;
  // Sends each of replies, from `begin` on, on its way.
  void PassOn(size_t begin, engine::Replies& replies);
  // Nothing has to be waited for, neither by this reply nor by one before it.
  bool MayLeaveNow() const ABSL_NO_THREAD_SAFETY_ANALYSIS {
    return shared_.is_clean() && inbox_.empty();
  }
  LateReplies& Late() ABSL_NO_THREAD_SAFETY_ANALYSIS {
    return shared_.is_clean() ? inbox_ : gathered_;
  }
  // To a client of this loop, in any loop's batch.
  void Receive(const engine::Outgoing& outgoing, std::vector<Port*>& to_wake);
  void ReceiveBytes(engine::ClientId to, absl::string_view bytes, std::vector<Port*>& to_wake);
  void BeWoken(std::vector<Port*>& to_wake);
  size_t waiting_bytes() const {
    return gathered_.size_bytes() + committing_.size_bytes() + inbox_.size_bytes();
  }
  // It has been appended, or had no room.
  void Received(engine::ClientId to, size_t bytes, bool has_room, std::vector<Port*>& to_wake);
  void HangUpOnAll() ABSL_NO_THREAD_SAFETY_ANALYSIS;
  void GiveInbox(LateReplies& late);

  JournaledEngine& shared_;
  LoopWake wake_;
  std::vector<Port*> to_wake_;  // Of the batch at hand.

  // All of it is guarded by the engine's lock.
  absl::flat_hash_set<engine::ClientId> clients_;
  // Their loop will close them when it comes to it; what they send until then is not applied.
  absl::flat_hash_set<engine::ClientId> hung_up_;
  // Of the request that comes next.
  absl::flat_hash_map<engine::ClientId, int64_t> numbers_;
  LateReplies gathered_;
  LateReplies committing_;
  LateReplies inbox_;
  absl::flat_hash_map<engine::ClientId, size_t> held_;  // Bytes in the three of them.
  // Clients for whom a kGoOn is to come once nothing is held for them.
  absl::flat_hash_set<engine::ClientId> awaits_go_on_;
  bool is_woken_ = false;
};

Reply& Say(engine::ClientId to, ReplyKind kind, engine::Replies& replies) {
  engine::Outgoing& outgoing = replies.emplace_back();
  outgoing.to = to;
  outgoing.reply.kind = kind;
  return outgoing.reply;
}

void HangUp(engine::ClientId to, std::string reason, engine::Replies& replies) {
  Say(to, ReplyKind::kHangUp, replies).reason = std::move(reason);
}

void JournaledEngine::Port::Apply(engine::ClientId from, protocol::Request& request, absl::Time now,
                                  engine::Replies& replies) {
  if (!hung_up_.empty() && hung_up_.contains(from)) return;
  const size_t before = replies.size();
  if (!shared_.failed_.ok()) {
    // Of one who has come since.
    hung_up_.insert(from);
    inbox_.Append(from, LateKind::kEngineFailed, std::string(shared_.failed_.message()));
    return BeWoken(to_wake_);
  }
  std::optional<int64_t> number;
  if (!numbers_.empty()) {
    if (auto node = numbers_.extract(from); !node.empty()) number = node.mapped();
  }
  if (request.operation == Operation::kSession) {
    UseSession(from, request, now, replies);
  } else if (request.operation == Operation::kNumbered) {
    numbers_.insert_or_assign(from, request.number);
  } else if (number.has_value()) {
    ApplyNumbered(from, *number, request, now, replies);
  } else {
    shared_.stores_.Apply(from, request, now, replies);
    if (request.operation == Operation::kPing && replies.size() > before) {
      Reply& answer = replies.back().reply;
      if (answer.kind == ReplyKind::kNonce) {
        answer.number = protocol::PingAnswer(request.number, features());
      }
    }
  }
  PassOn(before, replies);
}

void JournaledEngine::Port::UseSession(engine::ClientId from, const protocol::Request& request,
                                       absl::Time now, engine::Replies& replies) {
  if (request.keys[0].size() > protocol::kSessionNameBytesMax) {
    return HangUp(from,
                  absl::StrCat("a session's name of ", request.keys[0].size(), " bytes; limit is ",
                               protocol::kSessionNameBytesMax),
                  replies);
  }
  const bool was_there =
      shared_.sessions_.Use(from, shared_.stores_.NameSpaceOf(from), request.keys[0], now);
  Say(from, ReplyKind::kNumber, replies).number = was_there ? 1 : 0;
}

void JournaledEngine::Port::ApplyNumbered(engine::ClientId from, int64_t number,
                                          protocol::Request& request, absl::Time now,
                                          engine::Replies& replies) {
  using Verdict = SessionBook::Verdict;
  Verdict verdict = shared_.sessions_.Judge(from, number);
  switch (verdict.kind) {
    case Verdict::Kind::kRefuse:
      return HangUp(from, std::move(verdict.reason), replies);
    case Verdict::Kind::kRejoin:
      return shared_.stores_.RejoinBarrier(from, request, now, replies);
    case Verdict::Kind::kAnswer:
      // Encoded already, so it goes by itself.
      if (!verdict.answer.empty()) ReceiveBytes(from, verdict.answer, to_wake_);
      return;
    case Verdict::Kind::kApply:
      break;
  }
  const size_t before = replies.size();
  shared_.stores_.Apply(from, request, now, replies);
  std::string answer;
  for (size_t i = before; i < replies.size(); ++i) {
    if (replies[i].to != from) continue;
    // Nothing was applied: if it is sent again, so be it.
    if (replies[i].reply.kind == ReplyKind::kHangUp) return;
    protocol::AppendReply(replies[i].reply, answer);
  }
  if (answer.empty() && request.operation == Operation::kBarrier) {
    shared_.sessions_.Waits(from, number);
  } else {
    shared_.sessions_.Applied(from, number, std::move(answer));
  }
}

void JournaledEngine::Port::PassOn(size_t begin, engine::Replies& replies) {
  size_t kept = begin;
  for (size_t i = begin; i < replies.size(); ++i) {
    Port& port = *shared_.ports_[LoopOf(replies[i].to)];
    if (replies[i].reply.kind == ReplyKind::kHangUp) port.hung_up_.insert(replies[i].to);
    if (&port != this || !MayLeaveNow()) {
      port.Receive(replies[i], to_wake_);
    } else {
      if (kept != i) replies[kept] = std::move(replies[i]);
      ++kept;
    }
  }
  replies.erase(replies.begin() + static_cast<ptrdiff_t>(kept), replies.end());
}

void JournaledEngine::Port::Receive(const engine::Outgoing& outgoing, std::vector<Port*>& to_wake) {
  Received(outgoing.to, protocol::EncodedBytes(outgoing.reply),
           Late().AppendBounded(waiting_bytes(), outgoing.to, outgoing.reply), to_wake);
}

void JournaledEngine::Port::ReceiveBytes(engine::ClientId to, absl::string_view bytes,
                                         std::vector<Port*>& to_wake) {
  Received(to, bytes.size(), Late().AppendBounded(waiting_bytes(), to, bytes), to_wake);
}

void JournaledEngine::Port::Received(engine::ClientId to, size_t bytes, bool has_room,
                                     std::vector<Port*>& to_wake) {
  if (!has_room) {
    hung_up_.insert(to);
  } else if (bytes > 0) {
    held_[to] += bytes;
  }
  BeWoken(to_wake);
}

void JournaledEngine::Port::BeWoken(std::vector<Port*>& to_wake) {
  if (!inbox_.empty() && !std::exchange(is_woken_, true)) to_wake.push_back(this);
}

void JournaledEngine::Port::GiveInbox(LateReplies& late) {
  inbox_.Swap(late);
  if (gathered_.empty() && committing_.empty()) {
    held_.clear();
  } else {
    late.ForEach([this](engine::ClientId to, LateKind kind, absl::string_view bytes) {
      const auto held = held_.find(to);
      if (kind != LateKind::kReply || held == held_.end()) return;
      held->second -= bytes.size();
      if (held->second == 0) held_.erase(held);
    });
  }
  absl::erase_if(awaits_go_on_, [&](engine::ClientId client) {
    const bool goes_on = !held_.contains(client);
    if (goes_on) late.Append(client, LateKind::kGoOn, "");
    return goes_on;
  });
}

void JournaledEngine::Port::HangUpOnAll() {
  for (const engine::ClientId client : clients_) {
    if (hung_up_.insert(client).second) {
      inbox_.Append(client, LateKind::kEngineFailed, std::string(shared_.failed_.message()));
    }
  }
}

// --- The engine ---

JournaledEngine::JournaledEngine(net::Env& env, size_t loops, std::unique_ptr<Journal> journal,
                                 std::function<void(const absl::Status&)> on_failure)
    : env_(env),
      journal_(std::move(journal)),
      on_failure_(std::move(on_failure)),
      owned_monitor_(env.NewMonitor()),
      monitor_(owned_monitor_.get()) {
  CHECK_LE(loops, kServerLoopsMax);
  for (size_t i = 0; i < loops; ++i) ports_.push_back(std::make_unique<Port>(this));
}

EnginePort* JournaledEngine::port(size_t loop) const { return ports_[loop].get(); }

absl::Status JournaledEngine::Restore(JournalChange change) {
  switch (change.kind) {
    case JournalChange::Kind::kSetKey:
      stores_.Restore(change.space, std::move(change.name), std::move(change.value));
      return absl::OkStatus();
    case JournalChange::Kind::kPush:
      stores_.RestoreElement(change.space, std::move(change.name), std::move(change.value));
      return absl::OkStatus();
    case JournalChange::Kind::kSetSession:
      return sessions_.Restore(change, env_.Now());
    default:
      return absl::InternalError("a journal begins with what is no beginning");
  }
}

absl::Status JournaledEngine::Start() {
  {
    net::MonitorLock lock(monitor_);
    const absl::Time begun = env_.Now();
    absl::Status restored;
    const absl::Status loaded =
        journal_->Load([&](JournalChange change) ABSL_NO_THREAD_SAFETY_ANALYSIS {
          restored.Update(Restore(std::move(change)));
        });
    if (!loaded.ok()) return loaded;
    if (!restored.ok()) return restored;
    stores_.LogTo([this](absl::string_view name) ABSL_NO_THREAD_SAFETY_ANALYSIS {
      return &changes_.try_emplace(std::string(name), std::string(name)).first->second;
    });
    keys_.store(stores_.key_count(), std::memory_order_relaxed);
    LOG(INFO) << "the journal in " << journal_->place() << " gave back " << stores_.key_count()
              << " keys in " << stores_.count() << " name spaces and " << sessions_.size()
              << " sessions in " << absl::FormatDuration(env_.Now() - begun);
  }
  writer_ = env_.StartThread("journal", [this] { WriteJournal(); });
  if (writer_ != nullptr) return absl::OkStatus();
  return absl::ResourceExhaustedError("the system gives no thread to write the journal with");
}

std::vector<JournalChange> JournaledEngine::TakeChanges() {
  std::vector<JournalChange> changes;
  for (auto entry = changes_.begin(); entry != changes_.end();) {
    const engine::StoreEngine* const engine = stores_.Find(entry->first);
    entry->second.Take(engine, changes);
    engine == nullptr ? entry = changes_.erase(entry) : ++entry;
  }
  sessions_.TakeChanges([&changes](JournalChange change) { changes.push_back(std::move(change)); });
  return changes;
}

void JournaledEngine::WriteJournal() {
  std::vector<Port*> to_wake;
  while (true) {
    std::vector<JournalChange> changes;
    {
      net::MonitorLock lock(monitor_);
      while (!has_changes() && !stopping_) {
        writer_waits_ = true;
        monitor_->WaitUntil(absl::InfiniteFuture());
        writer_waits_ = false;
      }
      if (!has_changes()) return;
      changes = TakeChanges();
      for (const auto& port : ports_) port->BeginCommit();
      committing_ = true;
    }
    const absl::Status committed = journal_->Commit(changes);
    {
      net::MonitorLock lock(monitor_);
      committing_ = false;
      failed_ = committed;
      for (const auto& port : ports_) {
        if (!committed.ok()) port->DropAll();
        if (port->EndCommit(/*all=*/!has_changes()) || !committed.ok()) {
          to_wake.push_back(port.get());
        }
      }
    }
    Wake(to_wake);
    to_wake.clear();
    if (committed.ok()) continue;
    LOG(ERROR) << "nothing is served any more: " << std::string(committed.message());
    if (on_failure_ != nullptr) on_failure_(committed);
    return;
  }
}

void JournaledEngine::Wake(const std::vector<Port*>& ports) {
  for (Port* const port : ports) port->Wake();
}

void JournaledEngine::Stop() {
  {
    net::MonitorLock lock(monitor_);
    stopping_ = true;
    monitor_->NotifyAll();
  }
  writer_.reset();
}

}  // namespace

ServerEngineFactory NewJournaledEngine(JournaledEngineOptions options) {
  return [options = std::move(options)](
             net::Env& env, size_t loops) -> absl::StatusOr<std::unique_ptr<ServerEngine>> {
    absl::StatusOr<std::unique_ptr<Journal>> journal = options.open_journal();
    if (!journal.ok()) return journal.status();
    auto engine =
        std::make_unique<JournaledEngine>(env, loops, *std::move(journal), options.on_failure);
    if (absl::Status started = engine->Start(); !started.ok()) return started;
    return engine;
  };
}

}  // namespace rollcall
