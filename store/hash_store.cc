#include "store/hash_store.h"

#include <stdexcept>
#include <utility>

#include "absl/container/flat_hash_set.h"
#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "net/monitor.h"
#include "store/dist_error.h"
#include "store/engine/store_engine.h"
#include "store/protocol/dialect.h"
#include "store/protocol/reply.h"
#include "store/protocol/request.h"
#include "store/wait_error.h"

namespace rollcall {
namespace {

using engine::ClientId;
using protocol::Operation;
using protocol::Reply;
using protocol::ReplyKind;
using protocol::Request;

// Users' keys get the "/" that TcpStore gives them, so that none can be one of rollcall's own
// marks.
std::string WireKey(absl::string_view key) { return absl::StrCat("/", key); }

Request MakeRequest(Operation operation, absl::Span<const std::string> keys = {},
                    absl::Span<const std::string> values = {}, int64_t number = 0) {
  Request request;
  request.operation = operation;
  request.number = number;
  for (const std::string& key : keys) request.keys.push_back(WireKey(key));
  for (const std::string& value : values) request.values.push_back(value);
  return request;
}

Request MakeRequest(Operation operation, absl::string_view key,
                    std::initializer_list<absl::string_view> values = {}, int64_t number = 0) {
  Request request;
  request.operation = operation;
  request.number = number;
  request.keys.push_back(WireKey(key));
  for (absl::string_view value : values) request.values.emplace_back(value);
  return request;
}

// An answer that owns its texts, since the engine's live only until its next call.
struct Answer {
  bool given = false;
  bool hung_up = false;
  std::string reason;
  uint8_t signal = 0;
  int64_t number = 0;
  std::vector<std::string> texts;
};

Answer Owned(const Reply& reply) {
  Answer answer;
  answer.given = true;
  answer.hung_up = reply.kind == ReplyKind::kHangUp;
  answer.reason = reply.reason;
  answer.signal = reply.signal;
  answer.number = reply.number;
  for (absl::string_view text : reply.texts) answer.texts.emplace_back(text);
  return answer;
}

}  // namespace

class HashStore::Core {
 public:
  explicit Core(net::Env& env) : env_(env), monitor_(env.NewMonitor()) {
    engine_.Connect(kEverybody, protocol::Dialect::kModern);
  }

  net::Monitor* monitor() ABSL_LOCK_RETURNED(*monitor_) { return monitor_.get(); }
  absl::Time Now() { return env_.Now(); }
  absl::Time DeadlineOf(absl::Duration timeout) { return net::DeadlineAfter(env_, timeout); }

  // An operation that is answered at once, or not at all.
  Answer Call(Request request) ABSL_EXCLUSIVE_LOCKS_REQUIRED(*monitor_) {
    return Apply(kEverybody, request);
  }

  // An operation whose answer may take until `deadline`: false if it did not come.
  bool Await(Request request, absl::Time deadline, Answer& answer)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(*monitor_) {
    const ClientId self = next_client_++;
    engine_.Connect(self, protocol::Dialect::kModern);
    answer = Apply(self, request);
    while (!answer.given && !released_.contains(self) && env_.Now() < deadline) {
      monitor_->WaitUntil(deadline);
    }
    const bool released = answer.given || released_.erase(self) > 0;
    engine_.Disconnect(self, env_.Now());
    return released;
  }

  // WAIT_TIMEOUT that names the keys which did not come by `deadline`.
  void AwaitKeys(absl::Span<const std::string> keys, absl::Duration timeout, absl::Time deadline,
                 absl::string_view operation) ABSL_EXCLUSIVE_LOCKS_REQUIRED(*monitor_) {
    Answer answer;
    if (Await(MakeRequest(Operation::kWait, keys), deadline, answer)) return;
    std::vector<std::string> missing;
    for (const std::string& key : keys) {
      if (Call(MakeRequest(Operation::kCheck, key)).signal == protocol::kNotReady) {
        missing.push_back(key);
      }
    }
    ThrowIfError(WaitTimeoutError({.operation = std::string(operation),
                                   .keys = {keys.begin(), keys.end()},
                                   .peer = "this process's memory",
                                   .elapsed = timeout,
                                   .missing_keys = std::move(missing)},
                                  timeout));
  }

  // Not the engine's wait: that is also satisfied by a key of the queue's name, which leaves
  // nothing to pop. False once `deadline` has passed.
  bool AwaitPush(absl::Time deadline) ABSL_EXCLUSIVE_LOCKS_REQUIRED(*monitor_) {
    if (env_.Now() >= deadline) return false;
    monitor_->WaitUntil(deadline);
    return true;
  }
  void AnnouncePush() ABSL_EXCLUSIVE_LOCKS_REQUIRED(*monitor_) { monitor_->NotifyAll(); }

 private:
  static constexpr ClientId kEverybody = 0;

  Answer Apply(ClientId from, Request& request) ABSL_EXCLUSIVE_LOCKS_REQUIRED(*monitor_) {
    replies_.clear();
    engine_.Apply(from, request, env_.Now(), replies_);
    Answer answer;
    bool others = false;
    for (const engine::Outgoing& outgoing : replies_) {
      if (outgoing.to == from) {
        answer = Owned(outgoing.reply);
      } else {
        // Only waiters hear of what others do, and all they are ever told is to stop waiting.
        released_.insert(outgoing.to);
        others = true;
      }
    }
    if (others) monitor_->NotifyAll();
    return answer;
  }

  net::Env& env_;
  const std::unique_ptr<net::Monitor> monitor_;
  engine::StoreEngine engine_ ABSL_GUARDED_BY(*monitor_);
  engine::Replies replies_ ABSL_GUARDED_BY(*monitor_);
  absl::flat_hash_set<ClientId> released_ ABSL_GUARDED_BY(*monitor_);
  ClientId next_client_ ABSL_GUARDED_BY(*monitor_) = kEverybody + 1;
};

namespace {

ErrorDetails DetailsFor(absl::string_view operation, absl::string_view key) {
  ErrorDetails details;
  details.operation = std::string(operation);
  details.keys = {std::string(key)};
  details.peer = "this process's memory";
  return details;
}

[[noreturn]] void ThrowNotANumber(absl::string_view operation, absl::string_view key,
                                  const Answer& answer) {
  throw DistStoreError(ErrorCode::kNotANumber, answer.reason, DetailsFor(operation, key));
}

}  // namespace

HashStore::HashStore(net::Env& env, absl::Duration timeout)
    : HashStore(std::make_shared<Core>(env), timeout) {}

HashStore::HashStore(std::shared_ptr<Core> core, absl::Duration timeout)
    : core_(std::move(core)), timeout_(timeout) {
  CheckTimeout(timeout);
}

HashStore::~HashStore() = default;

void HashStore::Set(absl::string_view key, absl::string_view value) {
  net::MonitorLock lock(core_->monitor());
  core_->Call(MakeRequest(Operation::kSet, key, {value}));
}

std::string HashStore::CompareSet(absl::string_view key, absl::string_view expected,
                                  absl::string_view desired) {
  net::MonitorLock lock(core_->monitor());
  return core_->Call(MakeRequest(Operation::kCompareSet, key, {expected, desired})).texts.at(0);
}

std::string HashStore::Get(absl::string_view key, absl::Duration timeout) {
  return std::move(AwaitValues({std::string(key)}, timeout, "get").at(0));
}

int64_t HashStore::Add(absl::string_view key, int64_t delta) {
  net::MonitorLock lock(core_->monitor());
  const Answer answer = core_->Call(MakeRequest(Operation::kAdd, key, {}, delta));
  if (answer.hung_up) ThrowNotANumber("add", key, answer);
  return answer.number;
}

bool HashStore::Check(absl::Span<const std::string> keys) {
  net::MonitorLock lock(core_->monitor());
  return core_->Call(MakeRequest(Operation::kCheck, keys)).signal == protocol::kReady;
}

void HashStore::Wait(absl::Span<const std::string> keys, absl::Duration timeout) {
  CheckTimeout(timeout);
  net::MonitorLock lock(core_->monitor());
  core_->AwaitKeys(keys, timeout, core_->DeadlineOf(timeout), "wait");
}

std::vector<std::string> HashStore::AwaitValues(std::vector<std::string> keys,
                                                absl::Duration timeout,
                                                absl::string_view operation) {
  CheckTimeout(timeout);
  net::MonitorLock lock(core_->monitor());
  const absl::Time deadline = core_->DeadlineOf(timeout);
  // A key may be deleted between its coming and this thread's turn: then it is awaited anew.
  do {
    core_->AwaitKeys(keys, timeout, deadline, operation);
  } while (core_->Call(MakeRequest(Operation::kCheck, keys)).signal == protocol::kNotReady);
  return core_->Call(MakeRequest(Operation::kMultiGet, keys)).texts;
}

bool HashStore::DeleteKey(absl::string_view key) {
  net::MonitorLock lock(core_->monitor());
  return core_->Call(MakeRequest(Operation::kDeleteKey, key)).number > 0;
}

int64_t HashStore::NumKeys() {
  net::MonitorLock lock(core_->monitor());
  return core_->Call(MakeRequest(Operation::kNumKeys)).number;
}

void HashStore::Append(absl::string_view key, absl::string_view value) {
  net::MonitorLock lock(core_->monitor());
  core_->Call(MakeRequest(Operation::kAppend, key, {value}));
}

std::vector<std::string> HashStore::MultiGet(absl::Span<const std::string> keys) {
  return AwaitValues({keys.begin(), keys.end()}, timeout(), "multi_get");
}

void HashStore::MultiSet(absl::Span<const std::string> keys, absl::Span<const std::string> values) {
  ThrowIfError(CheckSameSize(keys.size(), values.size()));
  net::MonitorLock lock(core_->monitor());
  core_->Call(MakeRequest(Operation::kMultiSet, keys, values));
}

void HashStore::QueuePush(absl::string_view key, absl::string_view value) {
  net::MonitorLock lock(core_->monitor());
  core_->Call(MakeRequest(Operation::kQueuePush, key, {value}));
  core_->AnnouncePush();
}

std::string HashStore::QueuePop(absl::string_view key, bool block, absl::Duration timeout) {
  CheckTimeout(timeout);
  net::MonitorLock lock(core_->monitor());
  const absl::Time deadline = core_->DeadlineOf(timeout);
  for (;;) {
    Answer answer = core_->Call(MakeRequest(Operation::kQueuePop, key));
    if (answer.number > 0) return std::move(answer.texts.at(0));
    if (!block) throw DistQueueEmptyError("queue is empty", DetailsFor("queue_pop", key));
    if (!core_->AwaitPush(deadline)) {
      ErrorDetails details = DetailsFor("queue_pop", key);
      details.missing_keys = details.keys;
      details.elapsed = timeout;
      ThrowIfError(WaitTimeoutError(std::move(details), timeout));
    }
  }
}

int64_t HashStore::QueueLen(absl::string_view key) {
  net::MonitorLock lock(core_->monitor());
  return core_->Call(MakeRequest(Operation::kQueueLen, key)).number;
}

std::vector<std::string> HashStore::ListKeys() {
  net::MonitorLock lock(core_->monitor());
  std::vector<std::string> keys = core_->Call(MakeRequest(Operation::kListKeys)).texts;
  for (std::string& key : keys) key.erase(0, 1);  // The "/" of WireKey.
  return keys;
}

void HashStore::Barrier(absl::string_view key, int64_t world_size, absl::Duration timeout) {
  CheckTimeout(timeout);
  net::MonitorLock lock(core_->monitor());
  Answer answer;
  const bool passed = core_->Await(MakeRequest(Operation::kBarrier, key, {}, world_size),
                                   core_->DeadlineOf(timeout), answer);
  if (answer.hung_up) ThrowNotANumber("barrier", key, answer);
  if (passed) return;
  ErrorDetails details = DetailsFor("barrier", key);
  details.elapsed = timeout;
  details.world_size = static_cast<int>(world_size);
  ThrowIfError(BarrierTimeoutError(std::move(details), key, timeout));
}

absl::Duration HashStore::timeout() const { return timeout_.Get(); }

void HashStore::SetTimeout(absl::Duration timeout) {
  CheckTimeout(timeout);
  timeout_.Set(timeout);
}

std::unique_ptr<Store> HashStore::Clone() {
  return std::unique_ptr<Store>(new HashStore(core_, timeout()));
}

}  // namespace rollcall
