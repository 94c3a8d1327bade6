#include "store/journal/journaled_port.h"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "net/monitor.h"
#include "store/journal/answer_room.h"
#include "store/journal/session_book.h"
#include "store/protocol/operation.h"
#include "store/protocol/reply.h"
#include "store/protocol/reply_writer.h"
#include "store/protocol/request_number.h"
#include "store/server/loop_number.h"

namespace rollcall {
namespace {

using protocol::Operation;
using protocol::Reply;
using protocol::ReplyKind;

// A client of whose replies more is held back is not read from.
constexpr size_t kHeldBytesMax = size_t{1} << 20;

// Of one session, so much of answers is kept whether there is room or not: who deletes what is done
// with has to be answered, too.
constexpr size_t kAnswerBytesFree = 4096;

Reply& Say(engine::ClientId to, ReplyKind kind, engine::Replies& replies) {
  engine::Outgoing& outgoing = replies.emplace_back();
  outgoing.to = to;
  outgoing.reply.kind = kind;
  return outgoing.reply;
}

void HangUp(engine::ClientId to, std::string reason, engine::Replies& replies) {
  Say(to, ReplyKind::kHangUp, replies).reason = std::move(reason);
}

}  // namespace

// --- A batch ---

void JournaledPort::Begin(LateReplies& late) {
  state_.monitor->Lock();
  is_woken_ = false;
  if (!state_.failed.ok()) HangUpOnAll();
  if (!inbox_.empty()) GiveInbox(late);
}

void JournaledPort::End() {
  state_.PublishNumbers();
  if (state_.writer_waits && state_.has_changes()) state_.monitor->NotifyAll();
  state_.monitor->Unlock();
  for (JournaledPort* const port : to_wake_) port->Wake();
  to_wake_.clear();
}

void JournaledPort::Connect(engine::ClientId client, protocol::Dialect dialect,
                            absl::string_view name_space) {
  state_.AssertLocked();
  clients_.insert(client);
  state_.stores.Connect(client, dialect, name_space);
}

bool JournaledPort::Disconnect(engine::ClientId client, absl::Time now) {
  state_.AssertLocked();
  clients_.erase(client);
  held_.erase(client);
  awaits_go_on_.erase(client);
  hung_up_.erase(client);
  numbers_.erase(client);
  state_.sessions.Leave(client, now);
  return state_.stores.Disconnect(client, now);
}

bool JournaledPort::Awaits(engine::ClientId client) {
  state_.AssertLocked();
  return state_.stores.Awaits(client);
}

bool JournaledPort::IsFull(engine::ClientId client) {
  state_.AssertLocked();
  const auto held = held_.find(client);
  if (held == held_.end() || held->second <= kHeldBytesMax) return false;
  awaits_go_on_.insert(client);
  return true;
}

bool JournaledPort::IsDone(engine::ClientId client) {
  state_.AssertLocked();
  if (!held_.contains(client)) return true;
  awaits_go_on_.insert(client);
  return false;
}

std::vector<EngineSnapshot> JournaledPort::Snapshot() {
  net::MonitorLock lock(state_.monitor);
  return TakeEngineSnapshots(state_.stores);
}

EngineNumbers JournaledPort::numbers() const {
  return {.keys = state_.keys.load(std::memory_order_relaxed),
          .waiting_clients = state_.waiting_clients.load(std::memory_order_relaxed),
          .memory_bytes = state_.memory_bytes.load(std::memory_order_relaxed)};
}

void JournaledPort::CountAlso(const std::atomic<size_t>* bytes) {
  net::MonitorLock lock(state_.monitor);
  state_.stores.CountAlso(bytes);
}

// --- Requests ---

void JournaledPort::Apply(engine::ClientId from, protocol::Request& request, absl::Time now,
                          engine::Replies& replies) {
  state_.AssertLocked();
  if (!hung_up_.empty() && hung_up_.contains(from)) return;
  const size_t before = replies.size();
  if (!state_.failed.ok()) {
    // Of one who has come since.
    hung_up_.insert(from);
    inbox_.Append(from, LateKind::kEngineFailed, std::string(state_.failed.message()));
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
    state_.stores.Apply(from, request, now, replies);
    if (request.operation == Operation::kPing && replies.size() > before) {
      Reply& answer = replies.back().reply;
      if (answer.kind == ReplyKind::kNonce) {
        answer.number = protocol::PingAnswer(request.number, features());
      }
    }
  }
  PassOn(before, replies);
}

void JournaledPort::UseSession(engine::ClientId from, protocol::Request& request, absl::Time now,
                               engine::Replies& replies) {
  const std::optional<absl::string_view> space = state_.stores.NameSpaceOf(from);
  // One too many there: it is told so.
  if (!space.has_value()) return state_.stores.Apply(from, request, now, replies);
  if (request.keys[0].size() > protocol::kSessionNameBytesMax) {
    return HangUp(from,
                  absl::StrCat("a session's name of ", request.keys[0].size(), " bytes; limit is ",
                               protocol::kSessionNameBytesMax),
                  replies);
  }
  const bool was_there = state_.sessions.Use(from, *space, request.keys[0], now);
  Say(from, ReplyKind::kNumber, replies).number = was_there ? 1 : 0;
}

void JournaledPort::ApplyNumbered(engine::ClientId from, int64_t number, protocol::Request& request,
                                  absl::Time now, engine::Replies& replies) {
  using Verdict = SessionBook::Verdict;
  Verdict verdict = state_.sessions.Judge(from, number);
  switch (verdict.kind) {
    case Verdict::Kind::kRefuse:
      return HangUp(from, std::move(verdict.reason), replies);
    case Verdict::Kind::kRejoin:
      return state_.stores.RejoinBarrier(from, request, now, replies);
    case Verdict::Kind::kAnswer:
      // Encoded already, so it goes by itself.
      if (!verdict.answer.empty()) ReceiveBytes(from, verdict.answer, to_wake_);
      return;
    case Verdict::Kind::kApply:
      break;
  }
  if (ChangesNothing(request.operation)) return state_.stores.Apply(from, request, now, replies);
  size_t reserved = 0;
  if (!ReserveForAnswer(from, request, &reserved, replies)) return;
  const size_t before = replies.size();
  state_.stores.Apply(from, request, now, replies);
  if (reserved != 0) {
    state_.stores.AddBytesBesides(*state_.stores.NameSpaceOf(from),
                                  -static_cast<int64_t>(reserved));
  }
  std::string answer;
  for (size_t i = before; i < replies.size(); ++i) {
    if (replies[i].to != from) continue;
    // Nothing was applied: if it is sent again, so be it.
    if (replies[i].reply.kind == ReplyKind::kHangUp) return;
    protocol::AppendReply(replies[i].reply, answer);
  }
  if (answer.empty() && request.operation == Operation::kBarrier) {
    state_.sessions.Waits(from, number);
  } else {
    state_.sessions.Applied(from, number, std::move(answer));
  }
}

bool JournaledPort::ReserveForAnswer(engine::ClientId from, const protocol::Request& request,
                                     size_t* reserved, engine::Replies& replies) {
  const absl::string_view space = *state_.stores.NameSpaceOf(from);
  const size_t room = RoomForAnswer(request, *state_.stores.Find(space));
  if (state_.sessions.AnswerBytesOf(from) + room <= kAnswerBytesFree) return true;
  state_.stores.AddBytesBesides(space, static_cast<int64_t>(room));
  const std::string beyond = room == 0 ? "" : state_.stores.MemoryBeyondLimit(space);
  *reserved = room;
  if (beyond.empty()) return true;
  state_.stores.AddBytesBesides(space, -static_cast<int64_t>(room));
  Reply& refusal = Say(from, ReplyKind::kHangUp, replies);
  refusal.cause = protocol::HangUpCause::kStoreFull;
  refusal.reason = absl::StrCat(beyond, ", with ", room, " for the answer to this ",
                                protocol::OperationName(request.operation));
  return false;
}

// --- Replies ---

void JournaledPort::PassOn(size_t begin, engine::Replies& replies) {
  const auto leaves_later = [this](const engine::Outgoing& outgoing)
                                ABSL_NO_THREAD_SAFETY_ANALYSIS {
                                  JournaledPort& port = *state_.ports[LoopOf(outgoing.to)];
                                  if (outgoing.reply.kind == ReplyKind::kHangUp)
                                    port.hung_up_.insert(outgoing.to);
                                  if (&port == this && MayLeaveNow()) return false;
                                  port.Receive(outgoing, to_wake_);
                                  return true;
                                };
  replies.erase(
      std::remove_if(replies.begin() + static_cast<ptrdiff_t>(begin), replies.end(), leaves_later),
      replies.end());
}

void JournaledPort::Receive(const engine::Outgoing& outgoing,
                            std::vector<JournaledPort*>& to_wake) {
  state_.AssertLocked();
  Received(outgoing.to, protocol::EncodedBytes(outgoing.reply),
           Late().AppendBounded(waiting_bytes(), outgoing.to, outgoing.reply), to_wake);
}

void JournaledPort::ReceiveBytes(engine::ClientId to, absl::string_view bytes,
                                 std::vector<JournaledPort*>& to_wake) {
  state_.AssertLocked();
  Received(to, bytes.size(), Late().AppendBounded(waiting_bytes(), to, bytes), to_wake);
}

void JournaledPort::Received(engine::ClientId to, size_t bytes, bool has_room,
                             std::vector<JournaledPort*>& to_wake) {
  if (!has_room) {
    hung_up_.insert(to);
  } else if (bytes > 0) {
    held_[to] += bytes;
  }
  BeWoken(to_wake);
}

void JournaledPort::BeWoken(std::vector<JournaledPort*>& to_wake) {
  if (!inbox_.empty() && !std::exchange(is_woken_, true)) to_wake.push_back(this);
}

void JournaledPort::GiveInbox(LateReplies& late) {
  inbox_.Swap(late);
  if (gathered_.empty() && committing_.empty()) {
    held_.clear();
  } else {
    late.ForEach([this](engine::ClientId to, LateKind kind, absl::string_view bytes) {
      state_.AssertLocked();
      const auto held = held_.find(to);
      if (kind != LateKind::kReply || held == held_.end()) return;
      held->second -= bytes.size();
      if (held->second == 0) held_.erase(held);
    });
  }
  absl::erase_if(awaits_go_on_, [&](engine::ClientId client) {
    state_.AssertLocked();
    const bool goes_on = !held_.contains(client);
    if (goes_on) late.Append(client, LateKind::kGoOn, "");
    return goes_on;
  });
}

void JournaledPort::HangUpOnAll() {
  for (const engine::ClientId client : clients_) {
    if (hung_up_.insert(client).second) {
      inbox_.Append(client, LateKind::kEngineFailed, std::string(state_.failed.message()));
    }
  }
}

// --- Commits ---

void JournaledPort::BeginCommit() {
  state_.AssertLocked();
  committing_.Take(gathered_);
}

bool JournaledPort::EndCommit(bool all) {
  state_.AssertLocked();
  inbox_.Take(committing_);
  if (all) inbox_.Take(gathered_);
  return !inbox_.empty() && !std::exchange(is_woken_, true);
}

size_t JournaledPort::waiting_replies() const {
  state_.AssertLocked();
  return gathered_.count() + committing_.count();
}

void JournaledPort::DropAll() {
  state_.AssertLocked();
  committing_ = {};
  gathered_ = {};
  inbox_ = {};
  held_.clear();
  // Who was to be hung up on may not have been yet: what would have said so was among it.
  hung_up_.clear();
}

}  // namespace rollcall
