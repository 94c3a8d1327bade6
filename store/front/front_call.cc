#include "store/front/front_call.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/types/span.h"
#include "store/dist_error.h"
#include "store/engine/key_space.h"
#include "store/engine/refusals.h"
#include "store/etcd/etcd_operations.h"
#include "store/etcd/etcd_requests.h"
#include "store/protocol/reply_writer.h"

namespace rollcall::front {
namespace {

using etcd::EtcdCall;
using etcd::EtcdSession;
using protocol::Operation;
using protocol::Reply;
using protocol::ReplyKind;
using protocol::Request;

std::string Encoded(const Reply& reply) {
  std::string bytes;
  protocol::AppendReply(reply, bytes);
  return bytes;
}

std::string BytesReply(absl::string_view text) {
  Reply reply;
  reply.kind = ReplyKind::kBytes;
  reply.texts.push_back(text);
  return Encoded(reply);
}

std::string TextsReply(ReplyKind kind, const std::vector<std::string>& texts) {
  Reply reply;
  reply.kind = kind;
  reply.number = static_cast<int64_t>(texts.size());
  reply.texts.assign(texts.begin(), texts.end());
  return Encoded(reply);
}

// One request on its way through etcd.
class Execution {
 public:
  Execution(EtcdSession& session, const EtcdCall& call, bool is_legacy, Request& request)
      : session_(session), call_(call), is_legacy_(is_legacy), request_(request) {}

  Outcome Run() {
    Dispatch();
    return std::move(outcome_);
  }

 private:
  void Dispatch() {
    switch (request_.operation) {
      case Operation::kSet:
      case Operation::kMultiSet:
        return SetAll();
      case Operation::kCompareSet:
        return Answer(
            etcd::CompareSet(session_, call_, key(), request_.values[0], request_.values[1]),
            [](const std::string& held) { return BytesReply(held); });
      case Operation::kGet:
      case Operation::kMultiGet:
        return Get();
      case Operation::kCheck:
        return Check();
      case Operation::kNumKeys:
        return Answer(CountKeys(session_, call_),
                      [](const KeyCount& count) { return NumberReply(count.keys); });
      case Operation::kDeleteKey:
        return Answer(etcd::DeleteKey(session_, call_, key()),
                      [](bool deleted) { return NumberReply(deleted ? 1 : 0); });
      case Operation::kAppend:
        return Done(etcd::Append(session_, call_, key(), request_.values[0]));
      case Operation::kQueuePush:
        return Done(etcd::QueuePush(session_, call_, key(), request_.values[0]));
      case Operation::kQueuePop:
        return Pop();
      case Operation::kQueueLen:
        return Answer(etcd::Count(session_, call_, session_.names().Queue(key())),
                      [](int64_t length) { return NumberReply(length); });
      case Operation::kListKeys:
        return List();
      case Operation::kAdd:
      case Operation::kWait:
      case Operation::kBarrier:
      case Operation::kCancelWait:
      case Operation::kPing:
      case Operation::kWatchKey:
      case Operation::kSession:
      case Operation::kNumbered:
      case Operation::kValidate:
        break;
    }
    outcome_.refused = absl::StrCat(protocol::OperationName(request_.operation), " is no request");
  }

  const std::string& key() const { return request_.keys[0]; }

  void Done(absl::Status status) { outcome_.failed = std::move(status); }

  template <typename Value, typename Encode>
  void Answer(absl::StatusOr<Value> value, Encode encode) {
    if (!value.ok()) return Done(value.status());
    outcome_.reply = encode(*value);
  }

  void SetAll() {
    Done(etcd::MultiSet(session_, call_, request_.keys, request_.values));
    if (request_.operation == Operation::kMultiSet || request_.keys.size() == 1) return;
    if (outcome_.failed.ok() || CodeOf(outcome_.failed) != ErrorCode::kEtcdRequestTooLarge) return;
    // Each was a request of its own, and is not too large by that of another.
    for (size_t i = 0; i < request_.keys.size(); ++i) {
      Done(etcd::Set(session_, call_, request_.keys[i], request_.values[i]));
      if (!outcome_.failed.ok()) return;
    }
  }

  void Get() {
    absl::StatusOr<std::vector<etcd::Seen>> seen =
        etcd::LookAt(session_, call_, request_.keys, etcd::Look::kValues);
    if (!seen.ok()) return Done(seen.status());
    std::vector<std::string> values;
    for (size_t i = 0; i < seen->size(); ++i) {
      if (!(*seen)[i].is_there && is_legacy_) {
        outcome_.refused = engine::MissingKey(request_.operation, request_.keys[i]);
        return;
      }
      values.push_back(std::move((*seen)[i].value));
    }
    outcome_.reply = request_.operation == Operation::kGet ? BytesReply(values[0])
                                                           : TextsReply(ReplyKind::kTexts, values);
  }

  void Check() {
    const auto is_there = [](const etcd::Seen& seen) { return seen.is_there; };
    Answer(etcd::LookAt(session_, call_, request_.keys, etcd::Look::kKeysAndQueues),
           [&](const std::vector<etcd::Seen>& seen) {
             const bool all = std::all_of(seen.begin(), seen.end(), is_there);
             return SignalReply(all ? protocol::kReady : protocol::kNotReady);
           });
  }

  void Pop() {
    absl::StatusOr<etcd::QueueFront> front = etcd::FrontOf(session_, call_, key());
    if (!front.ok()) return Done(front.status());
    Answer(etcd::QueuePop(session_, call_, key(), *std::move(front)),
           [](const etcd::Popped& popped) {
             Reply reply;
             reply.kind = ReplyKind::kPopped;
             if (popped.value.has_value()) {
               reply.number = std::max<int64_t>(popped.length, 1);
               reply.texts.push_back(*popped.value);
             }
             return Encoded(reply);
           });
  }

  void List() {
    const etcd::EtcdNames& names = session_.names();
    const absl::StatusOr<etcd::TxnResponse> read = session_.Read(
        call_, {etcd::ReadNames(names.UserKeys()), etcd::ReadNames(names.OtherKeys())});
    if (!read.ok()) return Done(read.status());
    std::vector<std::string> keys;
    for (const etcd::ResponseOp& response : read->responses()) {
      for (const etcd::KeyValue& found : response.response_range().kvs()) {
        std::string key = names.PlaceOf(found.key()).name;
        if (!engine::IsHidden(key)) keys.push_back(std::move(key));
      }
    }
    std::sort(keys.begin(), keys.end());
    outcome_.reply = TextsReply(ReplyKind::kList, keys);
  }

  EtcdSession& session_;
  const EtcdCall& call_;
  const bool is_legacy_;
  Request& request_;
  Outcome outcome_;
};

}  // namespace

bool Changes(Operation operation) {
  switch (operation) {
    case Operation::kSet:
    case Operation::kMultiSet:
    case Operation::kCompareSet:
    case Operation::kAdd:
    case Operation::kAppend:
    case Operation::kDeleteKey:
    case Operation::kQueuePush:
    case Operation::kQueuePop:
    case Operation::kBarrier:
      return true;
    default:
      return false;
  }
}

bool TakesTurns(Operation operation) {
  switch (operation) {
    case Operation::kCompareSet:
    case Operation::kAdd:
    case Operation::kAppend:
    case Operation::kQueuePop:
    case Operation::kBarrier:
      return true;
    default:
      return false;
  }
}

Outcome Execute(EtcdSession& session, const EtcdCall& call, bool is_legacy, Request& request) {
  return Execution(session, call, is_legacy, request).Run();
}

absl::StatusOr<KeyCount> CountKeys(EtcdSession& session, const EtcdCall& call) {
  const etcd::EtcdNames& names = session.names();
  const absl::StatusOr<etcd::TxnResponse> read =
      session.Read(call, {etcd::CountAll(names.UserKeys()), etcd::CountAll(names.OtherKeys()),
                          etcd::CountAll(names.Key(engine::kHiddenKeyPrefix))});
  if (!read.ok()) return read.status();
  const auto count = [&](int i) { return read->responses(i).response_range().count(); };
  return KeyCount{.keys = count(0) + count(1) - count(2), .revision = read->header().revision()};
}

std::string SignalReply(uint8_t signal) {
  Reply reply;
  reply.kind = ReplyKind::kSignal;
  reply.signal = signal;
  return Encoded(reply);
}

std::string NumberReply(int64_t number) {
  Reply reply;
  reply.kind = ReplyKind::kNumber;
  reply.number = number;
  return Encoded(reply);
}

std::string NonceReply(int64_t nonce) {
  Reply reply;
  reply.kind = ReplyKind::kNonce;
  reply.number = nonce;
  return Encoded(reply);
}

std::string KeyEventReply(uint8_t event, absl::string_view key, absl::string_view old_value,
                          absl::string_view new_value) {
  Reply reply;
  reply.kind = ReplyKind::kKeyEvent;
  reply.signal = event;
  reply.texts.assign({key, old_value, new_value});
  return Encoded(reply);
}

}  // namespace rollcall::front
