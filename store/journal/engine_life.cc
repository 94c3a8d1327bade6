#include "store/journal/engine_life.h"

#include <utility>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "net/env.h"
#include "net/real_env.h"
#include "store/journal/journaled_engine.h"
#include "store/protocol/dialect.h"
#include "store/protocol/reply.h"
#include "store/protocol/reply_writer.h"
#include "store/protocol/request_number.h"

namespace rollcall {
namespace {

using protocol::Operation;

// Whoever waits for it has waited for all before it.
constexpr int64_t kNonce = 0x5A0000;

std::string Pong() {
  protocol::Reply reply;
  reply.kind = protocol::ReplyKind::kNonce;
  reply.number = kNonce;
  std::string bytes;
  protocol::AppendReply(reply, bytes);
  return bytes;
}

}  // namespace

EngineLife::EngineLife(FakeDisk& disk, const engine::NameSpaceLimits& limits)
    : monitor_(net::RealEnv().NewMonitor()),
      engine_(
          NewJournaledEngine({.open_journal = disk.Opener(net::RealEnv(), absl::ZeroDuration()),
                              .on_failure = [this](const absl::Status&) { failed_.count_down(); },
                              .limits = limits})(net::RealEnv(), 1)
              .value()),
      port_(*engine_->port(0)) {
  port_.SetWake([this] {
    net::MonitorLock lock(monitor_.get());
    is_woken_ = true;
    monitor_->NotifyAll();
  });
}

EngineLife::~EngineLife() { port_.SetWake(nullptr); }

void EngineLife::Connect(engine::ClientId client, const std::string& name_space) {
  InBatch([&] { port_.Connect(client, protocol::Dialect::kModern, name_space); });
}

void EngineLife::Disconnect(engine::ClientId client) {
  InBatch([&] { port_.Disconnect(client, absl::Now()); });
}

void EngineLife::Set(engine::ClientId client, const std::string& key, const std::string& value) {
  Say(client, MakeRequest(Operation::kSet, {key}, {value}));
}

void EngineLife::Delete(engine::ClientId client, const std::string& key) {
  Say(client, MakeRequest(Operation::kDeleteKey, {key}));
}

std::string EngineLife::Get(engine::ClientId client, const std::string& key) {
  protocol::Request request = MakeRequest(Operation::kGet, {key});
  std::string value = "no answer";
  InBatch([&] {
    engine::Replies replies;
    port_.Apply(client, request, absl::Now(), replies);
    if (!replies.empty()) value = std::string(replies[0].reply.texts[0]);
  });
  return value;
}

void EngineLife::Say(engine::ClientId client, protocol::Request request) {
  InBatch([&] { Apply(client, std::move(request)); });
}

EngineLife::Told EngineLife::Ask(engine::ClientId client, std::vector<protocol::Request> requests) {
  told_.erase(client);
  InBatch([&] {
    for (protocol::Request& request : requests) Apply(client, std::move(request));
    Apply(client, MakeRequest(Operation::kPing, {}, {}, kNonce));
  });
  const std::string pong = Pong();
  const absl::Time deadline = net::DeadlineAfter(net::RealEnv(), absl::Seconds(60));
  while (true) {
    Told& told = told_[client];
    if (told.hung_up.has_value()) return told;
    if (absl::EndsWith(told.bytes, pong)) {
      told.bytes.resize(told.bytes.size() - pong.size());
      return told;
    }
    {
      net::MonitorLock lock(monitor_.get());
      while (!std::exchange(is_woken_, false)) {
        if (monitor_->WaitUntil(deadline)) continue;
        ADD_FAILURE() << "the client is told nothing";
        return told;
      }
    }
    InBatch([] {});
  }
}

protocol::Request EngineLife::Numbered(int64_t number, int64_t unanswered) {
  return MakeRequest(Operation::kNumbered, {}, {},
                     protocol::RequestNumber{.number = number, .unanswered = unanswered}.Pack());
}

protocol::Request EngineLife::MakeRequest(Operation operation, const std::vector<std::string>& keys,
                                          const std::vector<std::string>& values, int64_t number) {
  protocol::Request request;
  request.operation = operation;
  request.keys.assign(keys.begin(), keys.end());
  request.values.assign(values.begin(), values.end());
  request.number = number;
  return request;
}

std::set<engine::ClientId> EngineLife::TakeFailed() {
  InBatch([] {});
  return std::exchange(has_failed_, {});
}

void EngineLife::InBatch(absl::FunctionRef<void()> work) {
  LateReplies late;
  port_.Begin(late);
  Take(late);
  work();
  port_.End();
}

void EngineLife::Apply(engine::ClientId client, protocol::Request request) {
  engine::Replies replies;
  port_.Apply(client, request, absl::Now(), replies);
  for (const engine::Outgoing& outgoing : replies) {
    Told& told = told_[outgoing.to];
    if (outgoing.reply.kind == protocol::ReplyKind::kHangUp) {
      told.hung_up = outgoing.reply.reason;
      told.is_full = outgoing.reply.cause == protocol::HangUpCause::kStoreFull;
    } else {
      protocol::AppendReply(outgoing.reply, told.bytes);
    }
  }
}

void EngineLife::Take(LateReplies& late) {
  late.ForEach([&](engine::ClientId to, LateKind kind, absl::string_view bytes) {
    Told& told = told_[to];
    switch (kind) {
      case LateKind::kReply:
        absl::StrAppend(&told.bytes, bytes);
        break;
      case LateKind::kHangUp:
      case LateKind::kStoreFull:
        told.hung_up = std::string(bytes);
        told.is_full = kind == LateKind::kStoreFull;
        break;
      case LateKind::kEngineFailed:
        has_failed_.insert(to);
        break;
      default:
        break;
    }
  });
}

}  // namespace rollcall
