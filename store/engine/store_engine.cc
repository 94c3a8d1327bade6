#include "store/engine/store_engine.h"

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/inlined_vector.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "store/engine/refusals.h"
#include "store/engine/table_memory.h"
#include "store/protocol/features.h"
#include "store/protocol/operation.h"

namespace rollcall::engine {

using protocol::Operation;
using protocol::Reply;
using protocol::ReplyKind;

Reply& StoreEngine::Call::Say(ReplyKind kind) {
  Outgoing& outgoing = replies.emplace_back();
  outgoing.to = from;
  outgoing.reply.kind = kind;
  return outgoing.reply;
}

void StoreEngine::Call::SayNumber(int64_t number) { Say(ReplyKind::kNumber).number = number; }

void StoreEngine::Call::SaySignal(uint8_t signal) { Say(ReplyKind::kSignal).signal = signal; }

void StoreEngine::Call::SayBytes(absl::string_view text) {
  Say(ReplyKind::kBytes).texts.push_back(text);
}

void StoreEngine::Call::HangUp(std::string reason) {
  Say(ReplyKind::kHangUp).reason = std::move(reason);
}

void StoreEngine::Connect(ClientId client, protocol::Dialect dialect) {
  clients_.insert_or_assign(client, dialect);
}

bool StoreEngine::Disconnect(ClientId client, absl::Time now) {
  const bool waited = waits_.IsWaiting(client);
  waits_.Drop(client);
  watches_.Drop(client);
  ranks_.ClientGone(client, now);
  clients_.erase(client);
  ReleaseSpareCapacity(clients_);
  if (budget_ != nullptr) Account();
  return waited;
}

template <typename Work>
void StoreEngine::Admit(ClientId from, protocol::Request& request, absl::Time now, Replies& replies,
                        int64_t members, Work work) {
  if (!kept_.empty()) kept_.clear();
  now_ = now;
  const auto client = clients_.find(from);
  const bool known = client != clients_.end();
  Call call{from, known && client->second != protocol::Dialect::kModern, request, replies, members};
  if (!known) return call.HangUp("a request from a client that is not connected");
  // A legacy client that sends something while its wait is pending has given that wait up: it
  // cannot cancel, and would take a late STOP_WAITING for the beginning of its next reply.
  if (call.legacy) waits_.Drop(from);
  if (is_limited_ && !HasRoomFor(call)) return;
  work(call);
  if (budget_ != nullptr) Account();
}

void StoreEngine::Apply(ClientId from, protocol::Request& request, absl::Time now,
                        Replies& replies) {
  Admit(from, request, now, replies, /*members=*/1, [this](Call& call) { Dispatch(call); });
}

void StoreEngine::RejoinBarrier(ClientId from, protocol::Request& request, absl::Time now,
                                Replies& replies) {
  Admit(from, request, now, replies, /*members=*/0, [this](Call& call) { Barrier(call); });
}

void StoreEngine::Restore(std::string key, std::string value) {
  const KeySpace::Entry entry = keys_.FindOrCreate(std::move(key));
  *entry.value = std::move(value);
  keys_.CountChange(entry);
  if (budget_ != nullptr) Account();
}

void StoreEngine::RestoreElement(std::string queue, std::string element) {
  keys_.Push(std::move(queue), std::move(element));
  if (budget_ != nullptr) Account();
}

void StoreEngine::Dispatch(Call& call) {
  switch (call.request.operation) {
    case Operation::kSet:
      return Set(call);
    case Operation::kCompareSet:
      return CompareSet(call);
    case Operation::kGet:
      return Get(call);
    case Operation::kAdd:
      return Add(call);
    case Operation::kCheck:
      return Check(call);
    case Operation::kWait:
      return Wait(call);
    case Operation::kNumKeys:
      return call.SayNumber(static_cast<int64_t>(keys_.visible_key_count()));
    case Operation::kDeleteKey:
      return DeleteKey(call);
    case Operation::kAppend:
      return Append(call);
    case Operation::kMultiGet:
      return MultiGet(call);
    case Operation::kMultiSet:
      return MultiSet(call);
    case Operation::kCancelWait:
      return CancelWait(call);
    case Operation::kPing:
      return Ping(call);
    case Operation::kQueuePush:
      return QueuePush(call);
    case Operation::kQueuePop:
      return QueuePop(call);
    case Operation::kQueueLen:
      return call.SayNumber(static_cast<int64_t>(keys_.QueueLength(call.key())));
    case Operation::kListKeys:
      return ListKeys(call);
    case Operation::kBarrier:
      return Barrier(call);
    case Operation::kWatchKey:
      return WatchKey(call);
    case Operation::kSession:
    case Operation::kNumbered:
      return call.HangUp("this server keeps no sessions");
    case Operation::kValidate:
      break;  // The parser consumes the greeting.
  }
  call.HangUp("validate is no request");
}

void StoreEngine::Ping(Call& call) {
  if (const std::optional<int> rank = protocol::RankToldBy(call.request.number)) {
    ranks_.NoteReturn(call.from, *rank, now_);
  }
  call.Say(ReplyKind::kNonce).number = protocol::PingAnswer(call.request.number);
}

void StoreEngine::Set(Call& call) {
  if (IsHidden(call.key())) ranks_.Note(call.from, call.key(), call.request.values[0], now_);
  Write(std::move(call.key()), std::move(call.request.values[0]), call.replies);
}

void StoreEngine::MultiSet(Call& call) {
  // Atomic all the same: what this releases is sent only after the last key is set.
  for (size_t i = 0; i < call.request.keys.size(); ++i) {
    Write(std::move(call.request.keys[i]), std::move(call.request.values[i]), call.replies);
  }
}

void StoreEngine::CompareSet(Call& call) {
  std::string& expected = call.request.values[0];
  const std::string* current = keys_.Find(call.key());
  if (current == nullptr ? !expected.empty() : *current != expected) {
    // For a missing key torch's clients are told what they expected.
    return call.SayBytes(current == nullptr ? Keep(std::move(expected)) : *current);
  }
  const KeySpace::Entry entry = keys_.FindOrCreate(std::move(call.key()));
  const std::string* old_value = OldValueForWatchers(entry);
  *entry.value = std::move(call.request.values[1]);
  Changed(entry, old_value, protocol::kKeyUpdated, call.replies);
  call.SayBytes(*entry.value);
}

void StoreEngine::Add(Call& call) {
  int64_t sum = 0;
  if (AddTo(keys_.FindOrCreate(std::move(call.key())), call.request.number, call, sum)) {
    call.SayNumber(sum);
  }
}

void StoreEngine::Append(Call& call) {
  const KeySpace::Entry entry = keys_.FindOrCreate(std::move(call.key()));
  const std::string* old_value = OldValueForWatchers(entry);
  std::string& addition = call.request.values[0];
  if (entry.created) {
    *entry.value = std::move(addition);
  } else {
    entry.value->append(addition);
  }
  Changed(entry, old_value, protocol::kKeyAppended, call.replies);
}

void StoreEngine::Get(Call& call) {
  const std::string* value = keys_.Find(call.key());
  if (value != nullptr) return call.SayBytes(*value);
  if (!call.legacy) return call.SayBytes("");
  call.HangUp(MissingKey(call.request.operation, call.key()));
}

void StoreEngine::MultiGet(Call& call) {
  absl::InlinedVector<absl::string_view, 1> texts;
  texts.reserve(call.request.keys.size());
  for (const std::string& key : call.request.keys) {
    const std::string* value = keys_.Find(key);
    if (value == nullptr && call.legacy) {
      return call.HangUp(MissingKey(call.request.operation, key));
    }
    texts.push_back(value == nullptr ? absl::string_view() : absl::string_view(*value));
  }
  call.Say(ReplyKind::kTexts).texts = std::move(texts);
}

void StoreEngine::Check(Call& call) {
  for (const std::string& key : call.request.keys) {
    if (!keys_.Exists(key)) return call.SaySignal(protocol::kNotReady);
  }
  call.SaySignal(protocol::kReady);
}

void StoreEngine::Wait(Call& call) {
  std::vector<std::string> missing;
  size_t missing_bytes = 0;
  for (std::string& key : call.request.keys) {
    if (keys_.Exists(key)) continue;
    missing_bytes += key.size();
    if (missing.empty()) missing.reserve(call.request.keys.size());
    missing.push_back(std::move(key));
  }
  if (missing.empty()) return call.SaySignal(protocol::kStopWaiting);
  if (AdmitsWait(call, missing_bytes)) waits_.AwaitNames(call.from, std::move(missing), now_);
}

void StoreEngine::CancelWait(Call& call) {
  waits_.Drop(call.from);
  call.SaySignal(protocol::kWaitCanceled);
}

void StoreEngine::DeleteKey(Call& call) {
  std::optional<std::string> old_value = keys_.Erase(call.key());
  if (old_value.has_value() && watches_.Watchers(call.key()) != nullptr) {
    TellWatchers(protocol::kKeyDeleted, call.key(), Keep(*std::move(old_value)), "", call.replies);
  }
  call.SayNumber(old_value.has_value() ? 1 : 0);
}

void StoreEngine::ListKeys(Call& call) {
  const std::vector<absl::string_view> keys = keys_.VisibleKeys();
  Reply& reply = call.Say(ReplyKind::kList);
  reply.number = static_cast<int64_t>(keys.size());
  reply.texts.assign(keys.begin(), keys.end());
}

void StoreEngine::QueuePush(Call& call) {
  waits_.ElementPushed(call.key(), released_);
  keys_.Push(std::move(call.key()), std::move(call.request.values[0]));
  AnswerReleased(call.replies);
}

void StoreEngine::QueuePop(Call& call) {
  const size_t length = keys_.QueueLength(call.key());
  Reply& reply = call.Say(ReplyKind::kPopped);
  reply.number = static_cast<int64_t>(length);
  if (length > 0) reply.texts.push_back(Keep(*keys_.Pop(call.key())));
}

void StoreEngine::Barrier(Call& call) {
  // Before the member is counted: one that is sent away must not count.
  if (!AdmitsWait(call, call.key().size())) return;
  const KeySpace::Entry entry = keys_.FindOrCreate(std::move(call.key()));
  int64_t arrived = 0;
  if (!AddTo(entry, call.members, call, arrived)) return;
  const int64_t world_size = call.request.number;
  if (world_size > 0 && arrived < world_size) {
    return waits_.AwaitBarrier(call.from, std::string(entry.key), now_);
  }
  waits_.BarrierFull(entry.key, released_);
  AnswerReleased(call.replies);
  call.SaySignal(protocol::kStopWaiting);
}

void StoreEngine::WatchKey(Call& call) {
  if (!watches_.Add(call.from, std::move(call.key()))) {
    return call.HangUp(TooManyWatches());
  }
  call.SaySignal(protocol::kCallbackRegistered);
}

void StoreEngine::Write(std::string&& key, std::string&& value, Replies& replies) {
  const KeySpace::Entry entry = keys_.FindOrCreate(std::move(key));
  const std::string* old_value = OldValueForWatchers(entry);
  *entry.value = std::move(value);
  Changed(entry, old_value, protocol::kKeyUpdated, replies);
}

bool StoreEngine::AddTo(const KeySpace::Entry& entry, int64_t delta, Call& call, int64_t& sum) {
  int64_t current = 0;
  if (!entry.created) {
    const absl::StatusOr<int64_t> parsed = ParseCounter(*entry.value);
    if (!parsed.ok()) {
      call.HangUp(NotANumber(call.request.operation, entry.key, parsed.status()));
      return false;
    }
    current = *parsed;
  }
  sum = CounterSum(current, delta);
  const std::string* old_value = OldValueForWatchers(entry);
  entry.value->clear();
  absl::StrAppend(entry.value, sum);
  Changed(entry, old_value, protocol::kKeyUpdated, call.replies);
  return true;
}

const std::string* StoreEngine::OldValueForWatchers(const KeySpace::Entry& entry) {
  if (watches_.Watchers(entry.key) == nullptr) return nullptr;
  return &Keep(*entry.value);
}

void StoreEngine::Changed(const KeySpace::Entry& entry, const std::string* old_value, uint8_t event,
                          Replies& replies) {
  keys_.CountChange(entry);
  // Nobody can wait for a key that was there before, so only a new one is looked up.
  if (entry.created) {
    waits_.KeyCreated(entry.key, released_);
    AnswerReleased(replies);
  }
  if (old_value == nullptr) return;
  TellWatchers(entry.created ? protocol::kKeyCreated : event, entry.key, *old_value, *entry.value,
               replies);
}

void StoreEngine::TellWatchers(uint8_t event, absl::string_view key, absl::string_view old_value,
                               absl::string_view new_value, Replies& replies) {
  if (IsHidden(key)) return;
  // Copies: a multi_set goes on to write other keys, and perhaps this one once more.
  const absl::string_view kept_key = Keep(std::string(key));
  const absl::string_view kept_value = Keep(std::string(new_value));
  for (const ClientId watcher : *watches_.Watchers(key)) {
    Outgoing& outgoing = replies.emplace_back();
    outgoing.to = watcher;
    outgoing.reply.kind = ReplyKind::kKeyEvent;
    outgoing.reply.signal = event;
    outgoing.reply.texts.assign({kept_key, old_value, kept_value});
  }
}

void StoreEngine::AnswerReleased(Replies& replies) {
  for (const Released& released : released_) {
    Outgoing& outgoing = replies.emplace_back();
    outgoing.to = released.client;
    waiting_times_.Observe(now_ - released.since);
    outgoing.reply.kind = ReplyKind::kSignal;
    outgoing.reply.signal = protocol::kStopWaiting;
  }
  released_.clear();
}

bool StoreEngine::AdmitsWait(Call& call, size_t name_bytes) {
  if (waits_.HasRoom(call.from, name_bytes)) return true;
  call.HangUp(TooMuchAwaited(call.request.operation));
  return false;
}

const std::string& StoreEngine::Keep(std::string text) {
  return kept_.emplace_back(std::move(text));
}

}  // namespace rollcall::engine
