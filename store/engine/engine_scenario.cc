#include "store/engine/engine_scenario.h"

#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace rollcall::engine {

using protocol::Operation;
using protocol::Reply;
using protocol::ReplyKind;
using protocol::Request;

namespace {

std::string Quoted(const Reply& reply, absl::string_view separator) {
  return absl::StrJoin(reply.texts, separator, [](std::string* out, absl::string_view text) {
    absl::StrAppend(out, "'", text, "'");
  });
}

}  // namespace

std::string InWords(const Reply& reply) {
  switch (reply.kind) {
    case ReplyKind::kSignal:
      return absl::StrCat("0", static_cast<int>(reply.signal));
    case ReplyKind::kNumber:
      return absl::StrCat("#", reply.number);
    case ReplyKind::kNonce:
      return absl::StrCat("~", reply.number);
    case ReplyKind::kBytes:
      return Quoted(reply, ",");
    case ReplyKind::kTexts:
      return absl::StrCat("[", Quoted(reply, ","), "]");
    case ReplyKind::kList:
      EXPECT_EQ(reply.number, static_cast<int64_t>(reply.texts.size()));
      return absl::StrCat("{", Quoted(reply, ","), "}");
    case ReplyKind::kPopped:
      return absl::StrCat(reply.number, "<", Quoted(reply, ","));
    case ReplyKind::kKeyEvent:
      return absl::StrCat("event ", static_cast<int>(reply.signal), " ", Quoted(reply, " "));
    case ReplyKind::kHangUp:
      return "HANGUP";
  }
  return "?";
}

Request MakeRequest(Operation operation, std::vector<std::string> keys,
                    std::vector<std::string> values, int64_t number) {
  Request request;
  request.operation = operation;
  request.keys.assign(keys.begin(), keys.end());
  request.values.assign(values.begin(), values.end());
  request.number = number;
  return request;
}

void EngineScenario::Connect(ClientId who, protocol::Dialect dialect) {
  connected_[who] = dialect;
  engine_.Connect(who, dialect);
}

void EngineScenario::Disconnect(ClientId who) {
  connected_.erase(who);
  engine_.Disconnect(who, absl::UnixEpoch());
}

void EngineScenario::Ask(ClientId who, const Request& request) {
  if (connected_.count(who) == 0) Connect(who);
  Replies replies;
  {
    auto mine = std::make_unique<Request>(request);
    engine_.Apply(who, *mine, absl::UnixEpoch(), replies);
  }
  std::vector<ClientId> hung_up;
  for (const Outgoing& outgoing : replies) {
    std::string& heard = heard_[outgoing.to];
    absl::StrAppend(&heard, heard.empty() ? "" : " ", InWords(outgoing.reply));
    if (outgoing.reply.kind != ReplyKind::kHangUp) continue;
    EXPECT_EQ(outgoing.to, who) << "somebody else's request hung up this client";
    last_hang_up_ = absl::StrCat(outgoing.to, ": ", outgoing.reply.reason);
    is_full_ = outgoing.reply.cause == protocol::HangUpCause::kStoreFull;
    hung_up.push_back(outgoing.to);
  }
  for (const ClientId client : hung_up) Disconnect(client);
}

void EngineScenario::Set(ClientId who, std::string key, std::string value) {
  Ask(who, MakeRequest(Operation::kSet, {std::move(key)}, {std::move(value)}));
}

void EngineScenario::CompareSet(ClientId who, std::string key, std::string expected,
                                std::string desired) {
  Ask(who, MakeRequest(Operation::kCompareSet, {std::move(key)},
                       {std::move(expected), std::move(desired)}));
}

void EngineScenario::Get(ClientId who, std::string key) {
  Ask(who, MakeRequest(Operation::kGet, {std::move(key)}));
}

void EngineScenario::Add(ClientId who, std::string key, int64_t delta) {
  Ask(who, MakeRequest(Operation::kAdd, {std::move(key)}, {}, delta));
}

void EngineScenario::Append(ClientId who, std::string key, std::string value) {
  Ask(who, MakeRequest(Operation::kAppend, {std::move(key)}, {std::move(value)}));
}

void EngineScenario::Delete(ClientId who, std::string key) {
  Ask(who, MakeRequest(Operation::kDeleteKey, {std::move(key)}));
}

void EngineScenario::Check(ClientId who, Keys keys) {
  Ask(who, MakeRequest(Operation::kCheck, std::move(keys)));
}

void EngineScenario::Wait(ClientId who, Keys keys) {
  Ask(who, MakeRequest(Operation::kWait, std::move(keys)));
}

void EngineScenario::CancelWait(ClientId who) { Ask(who, MakeRequest(Operation::kCancelWait)); }

void EngineScenario::NumKeys(ClientId who) { Ask(who, MakeRequest(Operation::kNumKeys)); }

void EngineScenario::ListKeys(ClientId who) { Ask(who, MakeRequest(Operation::kListKeys)); }

void EngineScenario::MultiGet(ClientId who, Keys keys) {
  Ask(who, MakeRequest(Operation::kMultiGet, std::move(keys)));
}

void EngineScenario::MultiSet(ClientId who, Keys keys, Values values) {
  Ask(who, MakeRequest(Operation::kMultiSet, std::move(keys), std::move(values)));
}

void EngineScenario::Push(ClientId who, std::string queue, std::string element) {
  Ask(who, MakeRequest(Operation::kQueuePush, {std::move(queue)}, {std::move(element)}));
}

void EngineScenario::Pop(ClientId who, std::string queue) {
  Ask(who, MakeRequest(Operation::kQueuePop, {std::move(queue)}));
}

void EngineScenario::QueueLength(ClientId who, std::string queue) {
  Ask(who, MakeRequest(Operation::kQueueLen, {std::move(queue)}));
}

void EngineScenario::Barrier(ClientId who, std::string key, int64_t world_size) {
  Ask(who, MakeRequest(Operation::kBarrier, {std::move(key)}, {}, world_size));
}

void EngineScenario::Watch(ClientId who, std::string key) {
  Ask(who, MakeRequest(Operation::kWatchKey, {std::move(key)}));
}

std::string EngineScenario::Heard(ClientId who) { return std::exchange(heard_[who], ""); }

}  // namespace rollcall::engine
