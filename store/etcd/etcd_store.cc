#include "store/etcd/etcd_store.h"

#include <stdexcept>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "net/clock.h"
#include "store/dist_error.h"
#include "store/etcd/etcd_operations.h"
#include "store/etcd/etcd_session.h"
#include "store/etcd/etcd_waits.h"
#include "store/wait_error.h"

namespace rollcall {
namespace {

using etcd::EtcdCall;
using etcd::EtcdSession;
using etcd::EtcdWait;

// As TcpStore has it.
constexpr absl::Duration kZeroTimeoutBudget = absl::Seconds(5);

template <typename Value>
Value ValueOrThrow(absl::StatusOr<Value> value) {
  ThrowIfError(value.status());
  return *std::move(value);
}

// The first deadline of a call: zero asks what is there now, and the question takes a moment.
EtcdCall CallOf(net::Env& env, absl::string_view operation, std::vector<std::string> keys,
                absl::Duration timeout, absl::Duration timeout_of_store) {
  absl::Duration budget = timeout;
  if (budget == absl::ZeroDuration()) budget = timeout_of_store;
  if (budget == absl::ZeroDuration()) budget = kZeroTimeoutBudget;
  return {.operation = std::string(operation),
          .keys = std::move(keys),
          .started = env.Now(),
          .deadline = net::DeadlineAfter(env, budget)};
}

}  // namespace

absl::StatusOr<std::unique_ptr<EtcdStore>> EtcdStore::Open(net::Env& env, EtcdOptions options) {
  CheckTimeout(options.timeout);
  if (absl::Status valid = ValidateEtcdOptions(options); !valid.ok()) return valid;
  const absl::Duration timeout = options.timeout;
  absl::StatusOr<std::shared_ptr<EtcdSession>> session = EtcdSession::Open(env, std::move(options));
  if (!session.ok()) return session.status();
  return std::unique_ptr<EtcdStore>(new EtcdStore(*std::move(session), timeout));
}

EtcdStore::EtcdStore(std::shared_ptr<EtcdSession> session, absl::Duration timeout)
    : session_(std::move(session)), timeout_(timeout) {}

EtcdStore::~EtcdStore() = default;

EtcdCall EtcdStore::Begin(absl::string_view operation, std::vector<std::string> keys) const {
  return CallOf(session_->env(), operation, std::move(keys), timeout(), timeout());
}

void EtcdStore::Set(absl::string_view key, absl::string_view value) {
  ThrowIfError(etcd::Set(*session_, Begin("set", {std::string(key)}), key, value));
}

std::string EtcdStore::CompareSet(absl::string_view key, absl::string_view expected,
                                  absl::string_view desired) {
  return ValueOrThrow(etcd::CompareSet(*session_, Begin("compare_set", {std::string(key)}), key,
                                       expected, desired));
}

std::string EtcdStore::Get(absl::string_view key, absl::Duration timeout) {
  CheckTimeout(timeout);
  const std::vector<std::string> keys = {std::string(key)};
  const EtcdWait wait = {CallOf(session_->env(), "get", keys, timeout, this->timeout()), timeout};
  return std::move(ValueOrThrow(etcd::AwaitValues(*session_, wait, keys)).at(0));
}

int64_t EtcdStore::Add(absl::string_view key, int64_t delta) {
  return ValueOrThrow(etcd::Add(*session_, Begin("add", {std::string(key)}), key, delta)).value;
}

bool EtcdStore::Check(absl::Span<const std::string> keys) {
  const EtcdCall call = Begin("check", {keys.begin(), keys.end()});
  for (const etcd::Seen& seen :
       ValueOrThrow(etcd::LookAt(*session_, call, keys, etcd::Look::kKeysAndQueues))) {
    if (!seen.is_there) return false;
  }
  return true;
}

void EtcdStore::Wait(absl::Span<const std::string> keys, absl::Duration timeout) {
  CheckTimeout(timeout);
  const EtcdWait wait = {
      CallOf(session_->env(), "wait", {keys.begin(), keys.end()}, timeout, this->timeout()),
      timeout};
  ThrowIfError(etcd::AwaitKeys(*session_, wait, keys));
}

bool EtcdStore::DeleteKey(absl::string_view key) {
  return ValueOrThrow(etcd::DeleteKey(*session_, Begin("delete_key", {std::string(key)}), key));
}

int64_t EtcdStore::NumKeys() {
  return ValueOrThrow(etcd::Count(*session_, Begin("num_keys", {}), session_->names().UserKeys()));
}

void EtcdStore::Append(absl::string_view key, absl::string_view value) {
  ThrowIfError(etcd::Append(*session_, Begin("append", {std::string(key)}), key, value));
}

std::vector<std::string> EtcdStore::MultiGet(absl::Span<const std::string> keys) {
  const EtcdWait wait = {Begin("multi_get", {keys.begin(), keys.end()}), timeout()};
  return ValueOrThrow(etcd::AwaitValues(*session_, wait, keys));
}

void EtcdStore::MultiSet(absl::Span<const std::string> keys, absl::Span<const std::string> values) {
  ThrowIfError(CheckSameSize(keys.size(), values.size()));
  ThrowIfError(
      etcd::MultiSet(*session_, Begin("multi_set", {keys.begin(), keys.end()}), keys, values));
}

void EtcdStore::QueuePush(absl::string_view key, absl::string_view value) {
  ThrowIfError(etcd::QueuePush(*session_, Begin("queue_push", {std::string(key)}), key, value));
}

std::string EtcdStore::QueuePop(absl::string_view key, bool block, absl::Duration timeout) {
  CheckTimeout(timeout);
  if (block) {
    const EtcdWait wait = {
        CallOf(session_->env(), "queue_pop", {std::string(key)}, timeout, this->timeout()),
        timeout};
    return ValueOrThrow(etcd::AwaitElement(*session_, wait, key));
  }
  const EtcdCall call = Begin("queue_pop", {std::string(key)});
  etcd::QueueFront front = ValueOrThrow(etcd::FrontOf(*session_, call, key));
  etcd::Popped popped = ValueOrThrow(etcd::QueuePop(*session_, call, key, std::move(front)));
  if (popped.value.has_value()) return *std::move(popped.value);
  throw DistQueueEmptyError(
      "queue is empty",
      {.operation = call.operation, .keys = call.keys, .peer = session_->client().peer()});
}

int64_t EtcdStore::QueueLen(absl::string_view key) {
  return ValueOrThrow(
      etcd::Count(*session_, Begin("queue_len", {std::string(key)}), session_->names().Queue(key)));
}

std::vector<std::string> EtcdStore::ListKeys() {
  return ValueOrThrow(etcd::ListKeys(*session_, Begin("list_keys", {})));
}

void EtcdStore::Barrier(absl::string_view key, int64_t world_size, absl::Duration timeout) {
  CheckTimeout(timeout);
  const EtcdWait wait = {
      CallOf(session_->env(), "barrier", {std::string(key)}, timeout, this->timeout()), timeout};
  ThrowIfError(etcd::AwaitBarrier(*session_, wait, key, world_size));
}

absl::Duration EtcdStore::timeout() const { return timeout_.Get(); }

void EtcdStore::SetTimeout(absl::Duration timeout) {
  CheckTimeout(timeout);
  timeout_.Set(timeout);
}

std::unique_ptr<Store> EtcdStore::Clone() {
  return std::unique_ptr<Store>(new EtcdStore(session_, timeout()));
}

std::string EtcdStore::Describe() const {
  const EtcdOptions& options = session_->client().options();
  return absl::StrCat("EtcdStore(endpoints=", absl::StrJoin(options.endpoints, ","),
                      ", prefix=", options.prefix, ", tls=", options.use_tls ? "yes" : "no",
                      ", user=", options.user, ")");
}

}  // namespace rollcall
