// The operations that wait: see store_client.cc for the others.
#include <algorithm>
#include <memory>
#include <optional>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "net/backoff.h"
#include "net/clock.h"
#include "store/client/request_limits.h"
#include "store/client/store_client.h"
#include "store/client/wire_key.h"
#include "store/dist_error.h"
#include "store/engine/key_space.h"
#include "store/protocol/request_writer.h"
#include "store/wait_error.h"

namespace rollcall::client {
namespace {

using protocol::Operation;
using protocol::OwnedReply;
using protocol::ReplyKind;

// Beyond this, a time-out names all keys that were asked for: a census of thousands would come too
// late.
constexpr size_t kCensusKeysMax = 64;
constexpr absl::Duration kCensusMarginMax = absl::Milliseconds(50);
// A shorter wait is a poll: nobody reads which keys it missed.
constexpr absl::Duration kCensusTimeoutMin = absl::Milliseconds(20);

// How long a server that hung up may take to show what is stored under the key.
constexpr absl::Duration kLookBudget = absl::Seconds(2);
constexpr size_t kShownValueBytesMax = 32;

}  // namespace

// --- wait, get, multi_get ---

absl::Status StoreClient::Wait(absl::Span<const std::string> keys, absl::Duration timeout) {
  Call call = Begin("wait", timeout);
  call.keys = keys;
  return WaitFor(call, WireKeys(keys));
}

absl::StatusOr<std::string> StoreClient::Get(absl::string_view key, absl::Duration timeout) {
  Call call = Begin("get", timeout);
  call.key = &key;
  const std::string wire_key = WireKey(key);
  if (absl::Status within = CheckLimits(options_.limits, call.operation, {&wire_key, 1});
      !within.ok()) {
    return within;
  }
  if (timeout == absl::ZeroDuration()) return GetIfThere(call, wire_key);
  std::string value;
  if (absl::Status came = WaitOnServer(call, {&wire_key, 1}, &value); !came.ok()) return came;
  if (!value.empty()) return value;
  return GetNow(call, wire_key);
}

absl::StatusOr<std::string> StoreClient::GetIfThere(const Call& call, const std::string& wire_key) {
  const protocol::Dialect dialect = options_.dialect;
  std::string check;
  std::string get;
  absl::Status failed =
      protocol::AppendKeysRequest(dialect, Operation::kCheck, {&wire_key, 1}, check);
  failed.Update(protocol::AppendKeyRequest(dialect, Operation::kGet, wire_key, get));
  if (!failed.ok()) return Unsupported(call);
  bool is_there = false;
  std::string value;
  failed = OnPrimary(call, /*changes_something=*/false, /*hang_up=*/nullptr, [&](Channel& channel) {
    const bool in_one = channel.answers_get_of_missing_key();
    absl::Status sent = channel.Send(in_one ? absl::StrCat(check, get) : check, call.deadline);
    if (!sent.ok()) return sent;
    const absl::StatusOr<OwnedReply> checked =
        channel.Receive(ReplyKind::kSignal, 0, call.deadline);
    if (!checked.ok()) return checked.status();
    is_there = checked->signal == protocol::kReady;
    if (!is_there && !in_one) return absl::OkStatus();
    if (!in_one) sent = channel.Send(get, call.deadline);
    if (!sent.ok()) return sent;
    absl::StatusOr<OwnedReply> got = channel.Receive(ReplyKind::kBytes, 0, call.deadline);
    if (got.ok()) value = std::move(got->texts[0]);
    return got.status();
  });
  if (!failed.ok()) return failed;
  if (!is_there) return WaitTimeout(call, {});
  return value;
}

absl::StatusOr<std::string> StoreClient::GetNow(const Call& call, absl::string_view wire_key) {
  std::string request;
  const absl::Status written =
      protocol::AppendKeyRequest(options_.dialect, Operation::kGet, wire_key, request);
  absl::StatusOr<OwnedReply> reply =
      Exchange(call, written, request, /*changes_something=*/false, ReplyKind::kBytes);
  if (!reply.ok()) return reply.status();
  return std::move(reply->texts[0]);
}

absl::StatusOr<std::vector<std::string>> StoreClient::MultiGet(absl::Span<const std::string> keys) {
  Call call = Begin("multi_get");
  call.keys = keys;
  const std::vector<std::string> wire_keys = WireKeys(keys);
  std::string request;
  const absl::Status written =
      protocol::AppendKeysRequest(options_.dialect, Operation::kMultiGet, wire_keys, request);
  if (!written.ok()) return Unsupported(call);
  if (absl::Status came = WaitFor(call, wire_keys); !came.ok()) return came;
  absl::StatusOr<OwnedReply> reply = Exchange(call, written, request, /*changes_something=*/false,
                                              ReplyKind::kTexts, wire_keys.size());
  if (!reply.ok()) return reply.status();
  return std::move(reply->texts);
}

absl::Status StoreClient::WaitFor(const Call& call, absl::Span<const std::string> wire_keys) {
  if (absl::Status within = CheckLimits(options_.limits, call.operation, wire_keys); !within.ok()) {
    return within;
  }
  if (call.timeout > absl::ZeroDuration()) return WaitOnServer(call, wire_keys);
  // Is it there now? One round trip, and nothing to be cancelled.
  const absl::StatusOr<bool> there = AllThere(call, wire_keys);
  if (!there.ok()) return there.status();
  return *there ? absl::OkStatus() : WaitTimeout(call, {});
}

absl::Status StoreClient::WaitOnServer(const Call& call, absl::Span<const std::string> wire_keys,
                                       std::string* value) {
  absl::StatusOr<WaitPlan> plan = PlanWait(call, wire_keys);
  if (!plan.ok()) return plan.status();
  std::string get;
  if (value != nullptr &&
      !protocol::AppendKeyRequest(options_.dialect, Operation::kGet, wire_keys[0], get).ok()) {
    return Unsupported(call);
  }
  // First on the primary channel: most ranks have one thread, and need no second connection.
  // Without a way to cancel, a wait there could hold up other threads.
  bool on_primary = !plan->cancel.empty();
  const auto open = [&] {
    return on_primary ? channels_.Primary(call.deadline) : channels_.Secondary(call.deadline);
  };
  while (true) {
    WaitResult result;
    int unconfirmed = 0;
    absl::Status failed =
        OnChannel(call, /*changes_something=*/false, /*hang_up=*/nullptr, open,
                  [&](ChannelSet::Lease& channel) {
                    plan->get = channel->answers_get_of_missing_key() ? get : "";
                    absl::StatusOr<WaitResult> ran = RunWait(env_, *channel, *plan, channel.gate());
                    if (!ran.ok()) return ran.status();
                    result = *std::move(ran);
                    unconfirmed = channel->in_step() ? 0 : channel->unacknowledged();
                    return absl::OkStatus();
                  });
    if (!failed.ok()) return failed;
    switch (result.outcome) {
      case WaitOutcome::kReleased:
        if (value != nullptr) *value = std::move(result.value);
        return absl::OkStatus();
      case WaitOutcome::kTimedOut:
        return WaitTimeout(call, result.missing, unconfirmed);
      case WaitOutcome::kPreempted:
        on_primary = false;
    }
  }
}

absl::StatusOr<WaitPlan> StoreClient::PlanWait(const Call& call,
                                               absl::Span<const std::string> wire_keys) const {
  const protocol::Dialect dialect = options_.dialect;
  WaitPlan plan{.deadline = call.deadline, .cancel = channels_.cancel_request()};
  if (!protocol::AppendKeysRequest(dialect, Operation::kWait, wire_keys, plan.request).ok()) {
    return Unsupported(call);
  }
  // With one key it is clear which one is missing.
  if (plan.cancel.empty() || wire_keys.size() < 2 || wire_keys.size() > kCensusKeysMax ||
      call.timeout < kCensusTimeoutMin || call.timeout == absl::InfiniteDuration()) {
    return plan;
  }
  plan.census_keys = wire_keys.size();
  plan.census_at = call.deadline - std::min(kCensusMarginMax, call.timeout / 10);
  plan.checks = [dialect, wire_keys] {
    std::string checks;
    for (const std::string& key : wire_keys) {
      // The dialect has it: it has a way to cancel, which is younger.
      protocol::AppendKeysRequest(dialect, Operation::kCheck, {&key, 1}, checks).IgnoreError();
    }
    return checks;
  };
  return plan;
}

absl::Status StoreClient::WaitTimeout(const Call& call, const std::vector<bool>& missing,
                                      int unacknowledged) const {
  ErrorDetails details = CallDetails(call, env_, peer_);
  for (size_t i = 0; i < details.keys.size(); ++i) {
    if (missing.empty() || missing[i]) details.missing_keys.push_back(details.keys[i]);
  }
  return WaitTimeoutError(std::move(details), call.timeout, UnconfirmedNote(unacknowledged));
}

// --- queue_pop ---

absl::StatusOr<std::string> StoreClient::QueuePop(absl::string_view key, bool block,
                                                  absl::Duration timeout) {
  Call call = Begin("queue_pop", timeout);
  call.key = &key;
  const std::string wire_key = WireKey(key);
  std::string request;
  const absl::Status written =
      protocol::AppendKeyRequest(options_.dialect, Operation::kQueuePop, wire_key, request);
  if (!written.ok()) return Unsupported(call);
  if (absl::Status within = CheckLimits(options_.limits, call.operation, {&wire_key, 1});
      !within.ok()) {
    return within;
  }
  const bool waits = block && timeout > absl::ZeroDuration();
  net::Backoff backoff({.initial = absl::Milliseconds(1), .max = absl::Milliseconds(100)});
  while (true) {
    if (waits) {
      if (absl::Status came = WaitOnServer(call, {&wire_key, 1}); !came.ok()) return came;
    }
    absl::StatusOr<OwnedReply> reply =
        Exchange(call, written, request, /*changes_something=*/true, ReplyKind::kPopped);
    if (!reply.ok()) return reply.status();
    if (reply->number > 0) return std::move(reply->texts[0]);
    if (!block) {
      return StoreStatus(ErrorCode::kQueueEmpty, "queue is empty", CallDetails(call, env_, peer_));
    }
    if (!waits) return WaitTimeout(call, {});
    // Another consumer was faster; or it is a plain key of that name which ends every wait at once.
    channels_.SleepUntil(std::min(call.deadline, env_.Now() + backoff.Next(env_.RandomBits())));
    if (env_.Now() >= call.deadline) return WaitTimeout(call, {});
  }
}

// --- barrier ---

absl::Status StoreClient::Barrier(absl::string_view key, int64_t world_size,
                                  absl::Duration timeout) {
  Call call = Begin("barrier", timeout);
  call.key = &key;
  const std::string wire_key = WireKey(key);
  if (absl::Status within = CheckLimits(options_.limits, call.operation, {&wire_key, 1});
      !within.ok()) {
    return within;
  }
  WaitPlan plan{.deadline = call.deadline, .cancel = channels_.cancel_request()};
  if (!protocol::AppendKeyNumberRequest(options_.dialect, Operation::kBarrier, wire_key, world_size,
                                        plan.request)
           .ok()) {
    return Unsupported(call);
  }
  // Asked to leave, it could not come back: it would be counted twice. So it never waits on the
  // primary channel, but what was written there must be applied before it.
  if (absl::Status flushed = Flush(call); !flushed.ok()) return flushed;
  HangUp hang_up = HangUp::kNone;
  const absl::StatusOr<WaitOutcome> outcome = RunBarrier(call, plan, hang_up);
  if (!outcome.ok()) return ExplainHangUp(call, outcome.status(), hang_up);
  if (*outcome == WaitOutcome::kReleased) return absl::OkStatus();
  return BarrierTimeoutError(CallDetails(call, env_, peer_), key, timeout);
}

absl::StatusOr<WaitOutcome> StoreClient::RunBarrier(const Call& call, const WaitPlan& plan,
                                                    HangUp& hang_up) {
  // It may wait for long: on the primary channel's lane all later answers would be kept meanwhile.
  std::unique_ptr<Lane> lane;  // Where there is a journal.
  absl::StatusOr<WaitOutcome> outcome = WaitOutcome::kReleased;
  absl::Status failed;
  {
    Lane::Number number;
    failed = OnChannel(
        call, /*changes_something=*/true, &hang_up,
        [&] { return channels_.Secondary(call.deadline); },
        [&](ChannelSet::Lease& channel) {
          if (lane == nullptr && channel->keeps_journal()) lane = channels_.TakeLane();
          outcome = AttemptBarrier(call, plan, *channel, lane.get(), number);
          return outcome.status();
        });
  }
  if (lane != nullptr) channels_.ReturnLane(std::move(lane));
  if (!failed.ok()) return failed;
  return outcome;
}

absl::StatusOr<WaitOutcome> StoreClient::AttemptBarrier(const Call& call, const WaitPlan& plan,
                                                        Channel& channel, Lane* lane,
                                                        Lane::Number& number) {
  WaitPlan numbered = plan;
  if (lane != nullptr) {
    const absl::StatusOr<std::string> head = number.Head(*lane, channel, call.deadline);
    if (!head.ok()) return head.status();
    numbered.request = absl::StrCat(*head, plan.request);
  }
  if (call.timeout > absl::ZeroDuration()) {
    const absl::StatusOr<WaitResult> result = RunWait(env_, channel, numbered, /*gate=*/nullptr);
    if (!result.ok()) return result.status();
    return result->outcome;
  }
  // Is everybody here now? Cancelled in the same breath.
  absl::Status failed = channel.Send(absl::StrCat(numbered.request, plan.cancel), call.deadline);
  if (failed.ok()) {
    channel.OweCancelAnswer();
    while (channel.owes()) {
      const absl::StatusOr<uint8_t> answer = channel.ReceiveOwed(call.deadline);
      if (!answer.ok()) {
        failed = answer.status();
        break;
      }
      if (!channel.owes()) {
        return *answer == protocol::kStopWaiting ? WaitOutcome::kReleased : WaitOutcome::kTimedOut;
      }
    }
  }
  channel.Break();
  return failed;
}

absl::Status StoreClient::Flush(const Call& call) {
  if (!channels_.PrimaryHasUnacknowledged()) return absl::OkStatus();
  std::string request;
  const absl::Status written = protocol::AppendPing(options_.dialect, 0, request);
  return Exchange(call, written, request, /*changes_something=*/false, ReplyKind::kNonce).status();
}

// --- Why a server hung up ---

absl::Status StoreClient::ExplainHangUp(const Call& call, const absl::Status& failed,
                                        HangUp hang_up) {
  if (hang_up == HangUp::kNone || CodeOf(failed) != ErrorCode::kConnectionLost) return failed;
  Call look = call;
  look.deadline = std::min(call.deadline, env_.Now() + kLookBudget);
  const std::string wire_key = WireKey(*call.key);
  const absl::StatusOr<bool> there = AllThere(look, {&wire_key, 1});
  if (!there.ok() || !*there) return failed;
  const absl::StatusOr<std::string> value = GetNow(look, wire_key);
  if (!value.ok() || engine::ParseCounter(*value).ok()) return failed;
  return StoreStatus(ErrorCode::kNotANumber,
                     absl::StrCat("the value under the key is no number: \"",
                                  absl::Utf8SafeCHexEscape(value->substr(0, kShownValueBytesMax)),
                                  value->size() > kShownValueBytesMax ? "...\"" : "\""),
                     CallDetails(call, env_, peer_));
}

}  // namespace rollcall::client
