#include "store/client/store_client.h"

#include <exception>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "net/clock.h"
#include "store/client/request_limits.h"
#include "store/client/resumption.h"
#include "store/client/wire_key.h"
#include "store/dist_error.h"
#include "store/protocol/request_writer.h"
#include "store/wait_error.h"

namespace rollcall::client {
namespace {

using protocol::Operation;
using protocol::OwnedReply;
using protocol::ReplyKind;

// From about here on a copy, with the memory that it takes, costs more than a send of its own.
constexpr size_t kCopiedBytesMax = 128 << 10;

std::string CancelRequest(protocol::Dialect dialect) {
  std::string request;
  // Torch 2.0 and 2.1 have the operation, torch 1.x, which the same dialect serves, does not.
  if (dialect == protocol::Dialect::kModern) {
    protocol::AppendBareRequest(dialect, Operation::kCancelWait, request).IgnoreError();
  }
  return request;
}

}  // namespace

StoreClient::StoreClient(net::Env& env, ClientOptions options)
    : env_(env),
      options_(std::move(options)),
      peer_(options_.endpoint.ToString()),
      timeout_(options_.timeout),
      channels_(env,
                {.endpoint = options_.endpoint,
                 .dialect = options_.dialect,
                 .tls = options_.tls,
                 .server_name = options_.server_name,
                 .token = options_.token,
                 .resumes = options_.resumes},
                CancelRequest(options_.dialect)) {}

StoreClient::~StoreClient() {
  // No call is under way, and none may block while an exception passes: a simulator cannot switch
  // fibers then.
  if (std::uncaught_exceptions() == 0) channels_.Finish(env_.Now() + kFarewell);
}

// --- One request, one reply ---

Call StoreClient::Begin(absl::string_view operation, absl::Duration timeout) const {
  absl::Duration budget = timeout;
  if (budget == absl::ZeroDuration()) budget = this->timeout();
  if (budget == absl::ZeroDuration()) budget = kZeroTimeoutBudget;
  const absl::Time now = env_.Now();
  return {.operation = operation,
          .timeout = timeout,
          .started = now,
          .deadline = budget == absl::InfiniteDuration() ? absl::InfiniteFuture() : now + budget};
}

Call StoreClient::Begin(absl::string_view operation, const absl::string_view& key) const {
  Call call = Begin(operation);
  call.key = &key;
  return call;
}

absl::Status StoreClient::OnPrimary(const Call& call, bool changes_something, HangUp* hang_up,
                                    absl::FunctionRef<absl::Status(Channel&)> attempt) {
  return OnChannel(
      call, changes_something, hang_up, [&] { return channels_.Primary(call.deadline); },
      [&](ChannelSet::Lease& channel) { return attempt(*channel); });
}

absl::Status StoreClient::OnChannel(const Call& call, bool changes_something, HangUp* hang_up,
                                    absl::FunctionRef<absl::StatusOr<ChannelSet::Lease>()> open,
                                    absl::FunctionRef<absl::Status(ChannelSet::Lease&)> attempt) {
  Resumption resumption(&env_, &channels_, call.deadline);
  bool was_sent = false;
  while (true) {
    absl::Status failed;
    int unacknowledged = 0;
    {
      absl::StatusOr<ChannelSet::Lease> channel = open();
      failed = channel.status();
      if (channel.ok()) {
        was_sent = true;
        unacknowledged = (*channel)->unacknowledged();
        failed = attempt(*channel);
        if (failed.ok()) return failed;
      }
    }
    const bool tries_again = resumption.TryAgain(failed);
    const absl::Status told =
        was_sent ? Failed(call, failed, changes_something, unacknowledged) : NotSent(call, failed);
    if (!tries_again) {
      if (hang_up != nullptr && IsOrderlyHangUp(failed)) *hang_up = HangUp::kOrderly;
      return told;
    }
    // Once may have been the server's end. Twice, and it has a reason.
    if (hang_up == nullptr || resumption.orderly_hang_ups() < 2) continue;
    absl::Status explained = ExplainHangUp(call, told, HangUp::kOrderly);
    if (rollcall::CodeOf(explained) == ErrorCode::kNotANumber) return explained;
  }
}

absl::StatusOr<OwnedReply> StoreClient::Exchange(const Call& call, const absl::Status& written,
                                                 absl::string_view request, bool changes_something,
                                                 ReplyKind kind, size_t texts, HangUp* hang_up) {
  if (!written.ok()) return Unsupported(call);
  Lane::Number number;
  absl::StatusOr<OwnedReply> reply;
  const absl::Status done = OnPrimary(call, changes_something, hang_up, [&](Channel& channel) {
    absl::Status sent;
    if (changes_something && number.IsNeededOn(channel)) {
      const absl::StatusOr<std::string> head =
          number.Head(channels_.lane(), channel, call.deadline);
      if (!head.ok()) return head.status();
      sent = channel.Send(absl::StrCat(*head, request), call.deadline);
    } else {
      sent = channel.Send(request, call.deadline);
    }
    if (!sent.ok()) return sent;
    reply = channel.Receive(kind, texts, call.deadline);
    return reply.status();
  });
  if (!done.ok()) return done;
  return reply;
}

absl::Status StoreClient::SendOnly(const Call& call, const absl::Status& written,
                                   absl::string_view request, absl::string_view value) {
  if (!written.ok()) return Unsupported(call);
  Lane::Number number;
  return OnPrimary(call, /*changes_something=*/true, /*hang_up=*/nullptr, [&](Channel& channel) {
    if (number.IsNeededOn(channel)) return SendAndConfirm(call, channel, number, request, value);
    absl::Status sent = channel.Send(request, call.deadline);
    if (sent.ok() && !value.empty()) sent = channel.Send(value, call.deadline);
    if (sent.ok()) channel.CountUnacknowledged(1);
    return sent;
  });
}

// Whatever is answered behind it says that it is in the journal.
absl::Status StoreClient::SendAndConfirm(const Call& call, Channel& channel, Lane::Number& number,
                                         absl::string_view request, absl::string_view value) {
  const absl::StatusOr<std::string> head = number.Head(channels_.lane(), channel, call.deadline);
  if (!head.ok()) return head.status();
  std::string ping;
  absl::Status failed = protocol::AppendPing(options_.dialect, 0, ping);
  if (failed.ok()) {
    failed = channel.Send(absl::StrCat(*head, request, value.empty() ? ping : ""), call.deadline);
  }
  if (failed.ok() && !value.empty()) failed = channel.Send(value, call.deadline);
  if (failed.ok() && !value.empty()) failed = channel.Send(ping, call.deadline);
  if (!failed.ok()) return failed;
  return channel.Receive(ReplyKind::kNonce, 0, call.deadline).status();
}

absl::Status StoreClient::SendKeyValue(Operation operation, absl::string_view key,
                                       absl::string_view value) {
  const absl::string_view name = protocol::OperationName(operation);
  const Call call = Begin(name, key);
  const std::string wire_key = WireKey(key);
  if (absl::Status within = CheckLimits(options_.limits, name, {&wire_key, 1}, {&value, 1});
      !within.ok()) {
    return within;
  }
  std::string request;
  if (value.size() > kCopiedBytesMax) {
    const absl::Status written =
        protocol::AppendKeyValueHead(options_.dialect, operation, wire_key, value.size(), request);
    return SendOnly(call, written, request, value);
  }
  const absl::Status written =
      protocol::AppendKeyValueRequest(options_.dialect, operation, wire_key, value, request);
  return SendOnly(call, written, request);
}

// --- Operations that do not wait ---

absl::Status StoreClient::Set(absl::string_view key, absl::string_view value) {
  return SendKeyValue(Operation::kSet, key, value);
}

absl::Status StoreClient::Append(absl::string_view key, absl::string_view value) {
  return SendKeyValue(Operation::kAppend, key, value);
}

absl::Status StoreClient::QueuePush(absl::string_view key, absl::string_view value) {
  return SendKeyValue(Operation::kQueuePush, key, value);
}

absl::StatusOr<std::string> StoreClient::CompareSet(absl::string_view key,
                                                    absl::string_view expected,
                                                    absl::string_view desired) {
  const Call call = Begin("compare_set", key);
  const std::string wire_key = WireKey(key);
  if (absl::Status within =
          CheckLimits(options_.limits, call.operation, {&wire_key, 1}, {expected, desired});
      !within.ok()) {
    return within;
  }
  std::string request;
  const absl::Status written =
      protocol::AppendCompareSet(options_.dialect, wire_key, expected, desired, request);
  absl::StatusOr<OwnedReply> reply =
      Exchange(call, written, request, /*changes_something=*/true, ReplyKind::kBytes);
  if (!reply.ok()) return reply.status();
  return std::move(reply->texts[0]);
}

absl::StatusOr<int64_t> StoreClient::Add(absl::string_view key, int64_t delta) {
  const Call call = Begin("add", key);
  const std::string wire_key = WireKey(key);
  if (absl::Status within = CheckLimits(options_.limits, call.operation, {&wire_key, 1});
      !within.ok()) {
    return within;
  }
  std::string request;
  const absl::Status written =
      protocol::AppendKeyNumberRequest(options_.dialect, Operation::kAdd, wire_key, delta, request);
  HangUp hang_up = HangUp::kNone;
  absl::StatusOr<OwnedReply> reply =
      Exchange(call, written, request, /*changes_something=*/true, ReplyKind::kNumber,
               /*texts=*/0, &hang_up);
  if (!reply.ok()) return ExplainHangUp(call, reply.status(), hang_up);
  return reply->number;
}

absl::StatusOr<bool> StoreClient::Check(absl::Span<const std::string> keys) {
  Call call = Begin("check");
  call.keys = keys;
  const std::vector<std::string> wire_keys = WireKeys(keys);
  if (absl::Status within = CheckLimits(options_.limits, call.operation, wire_keys); !within.ok()) {
    return within;
  }
  return AllThere(call, wire_keys);
}

absl::StatusOr<bool> StoreClient::AllThere(const Call& call,
                                           absl::Span<const std::string> wire_keys) {
  std::string request;
  const absl::Status written =
      protocol::AppendKeysRequest(options_.dialect, Operation::kCheck, wire_keys, request);
  absl::StatusOr<OwnedReply> reply =
      Exchange(call, written, request, /*changes_something=*/false, ReplyKind::kSignal);
  if (!reply.ok()) return reply.status();
  return reply->signal == protocol::kReady;
}

absl::StatusOr<bool> StoreClient::DeleteKey(absl::string_view key) {
  const absl::StatusOr<int64_t> deleted =
      NumberOf(Operation::kDeleteKey, key, /*changes_something=*/true);
  if (!deleted.ok()) return deleted.status();
  return *deleted > 0;
}

absl::StatusOr<int64_t> StoreClient::QueueLen(absl::string_view key) {
  return NumberOf(Operation::kQueueLen, key, /*changes_something=*/false);
}

absl::StatusOr<int64_t> StoreClient::NumberOf(Operation operation, absl::string_view key,
                                              bool changes_something) {
  const Call call = Begin(protocol::OperationName(operation), key);
  const std::string wire_key = WireKey(key);
  if (absl::Status within = CheckLimits(options_.limits, call.operation, {&wire_key, 1});
      !within.ok()) {
    return within;
  }
  std::string request;
  const absl::Status written =
      protocol::AppendKeyRequest(options_.dialect, operation, wire_key, request);
  absl::StatusOr<OwnedReply> reply =
      Exchange(call, written, request, changes_something, ReplyKind::kNumber);
  if (!reply.ok()) return reply.status();
  return reply->number;
}

absl::StatusOr<int64_t> StoreClient::NumKeys() {
  std::string request;
  const absl::Status written =
      protocol::AppendBareRequest(options_.dialect, Operation::kNumKeys, request);
  absl::StatusOr<OwnedReply> reply = Exchange(Begin("num_keys"), written, request,
                                              /*changes_something=*/false, ReplyKind::kNumber);
  if (!reply.ok()) return reply.status();
  return reply->number;
}

absl::Status StoreClient::MultiSet(absl::Span<const std::string> keys,
                                   absl::Span<const std::string> values) {
  if (absl::Status same = CheckSameSize(keys.size(), values.size()); !same.ok()) return same;
  Call call = Begin("multi_set");
  call.keys = keys;
  const std::vector<std::string> wire_keys = WireKeys(keys);
  const std::vector<absl::string_view> value_views(values.begin(), values.end());
  if (absl::Status within = CheckLimits(options_.limits, call.operation, wire_keys, value_views);
      !within.ok()) {
    return within;
  }
  std::string request;
  const absl::Status written =
      protocol::AppendMultiSet(options_.dialect, wire_keys, values, request);
  return SendOnly(call, written, request);
}

absl::StatusOr<std::vector<std::string>> StoreClient::ListKeys() {
  std::string request;
  const absl::Status written =
      protocol::AppendBareRequest(options_.dialect, Operation::kListKeys, request);
  absl::StatusOr<OwnedReply> reply = Exchange(Begin("list_keys"), written, request,
                                              /*changes_something=*/false, ReplyKind::kList);
  if (!reply.ok()) return reply.status();
  std::vector<std::string> keys;
  for (const std::string& name : reply->texts) {
    // Names without it are the store's own bookkeeping.
    absl::string_view key = name;
    if (absl::ConsumePrefix(&key, "/")) keys.emplace_back(key);
  }
  return keys;
}

absl::Status StoreClient::Ping() {
  const Call call = Begin("ping");
  // The highest bit keeps it apart from the one number that is a question (protocol/features.h).
  const uint32_t nonce = static_cast<uint32_t>(env_.RandomBits()) | 0x8000'0000;
  std::string request;
  const absl::Status written = protocol::AppendPing(options_.dialect, nonce, request);
  absl::StatusOr<OwnedReply> reply =
      Exchange(call, written, request, /*changes_something=*/false, ReplyKind::kNonce);
  if (!reply.ok()) return reply.status();
  if (static_cast<uint32_t>(reply->number) == nonce) return absl::OkStatus();
  return Failed(call,
                absl::DataLossError(absl::StrCat("pinged with ", nonce, ", answered with ",
                                                 static_cast<uint32_t>(reply->number))),
                /*changes_something=*/false, 0);
}

bool StoreClient::HasExtendedApi() const {
  return protocol::OpcodeOf(options_.dialect, Operation::kAppend).has_value();
}

// --- Errors ---

absl::Status StoreClient::NotSent(const Call& call, const absl::Status& why) const {
  return StoreStatus(CodeOf(why),
                     absl::StrCat(why.message(), "; the ", call.operation, " was not sent"),
                     CallDetails(call, env_, peer_));
}

absl::Status StoreClient::Failed(const Call& call, const absl::Status& why, bool changes_something,
                                 int unacknowledged) {
  const bool is_closed = channels_.is_closed();
  return CallFailed(call, env_, peer_, is_closed ? ChannelSet::Closed() : why, changes_something,
                    unacknowledged);
}

absl::Status StoreClient::Unsupported(const Call& call) const {
  return StoreStatus(ErrorCode::kUnsupported,
                     absl::StrCat(call.operation, " does not exist in the ",
                                  protocol::DialectName(options_.dialect), " dialect"),
                     CallDetails(call, env_, peer_));
}

}  // namespace rollcall::client
