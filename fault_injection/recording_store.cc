#include "fault_injection/recording_store.h"

#include <cstdint>
#include <utility>

namespace rollcall::fault {
namespace {

Operation Call(HistoryKind kind, absl::string_view key, std::vector<std::string> values = {}) {
  Operation operation;
  operation.kind = kind;
  operation.keys = {std::string(key)};
  operation.values = std::move(values);
  return operation;
}

Operation Call(HistoryKind kind, absl::Span<const std::string> keys,
               absl::Span<const std::string> values = {}) {
  Operation operation;
  operation.kind = kind;
  operation.keys.assign(keys.begin(), keys.end());
  operation.values.assign(values.begin(), values.end());
  return operation;
}

// Whether the error says for certain that nothing was changed.
Outcome OutcomeOf(const DistError& error) {
  switch (error.code()) {
    case ErrorCode::kConnectionLost:
    case ErrorCode::kReplyTimeout:
    case ErrorCode::kProtocol:
    case ErrorCode::kClosed:
    case ErrorCode::kFile:
    case ErrorCode::kEtcdUnreachable:
    case ErrorCode::kEtcdNoLeader:
    case ErrorCode::kEtcdLeaseLost:
    case ErrorCode::kEtcdNoSpace:
      return Outcome::kUnknown;
    case ErrorCode::kQueueEmpty:
      return Outcome::kOk;  // An answer like any other.
    default:
      return Outcome::kFailed;
  }
}

}  // namespace

HistoryRecorder::HistoryRecorder(net::Env& env) : env_(env), monitor_(env.NewMonitor()) {}

HistoryRecorder::Id HistoryRecorder::Begin(Operation& operation) {
  net::MonitorLock lock(monitor_.get());
  operation.invoked = env_.Now();
  const Id id = next_id_++;
  Operation& open = under_way_[id] = operation;
  open.outcome = Outcome::kUnknown;
  return id;
}

void HistoryRecorder::End(Id id, Operation operation) {
  net::MonitorLock lock(monitor_.get());
  operation.returned = env_.Now();
  under_way_.erase(id);
  history_.push_back(std::move(operation));
}

int HistoryRecorder::NewClient() {
  net::MonitorLock lock(monitor_.get());
  return next_client_++;
}

History HistoryRecorder::history() const {
  net::MonitorLock lock(monitor_.get());
  History history = history_;
  for (const auto& [id, operation] : under_way_) history.push_back(operation);
  return history;
}

RecordingStore::RecordingStore(std::shared_ptr<Store> store, HistoryRecorder* recorder)
    : store_(std::move(store)), recorder_(recorder), client_(recorder->NewClient()) {}

RecordingStore::~RecordingStore() { Settle(Outcome::kUnknown); }

void RecordingStore::Settle(Outcome outcome) {
  for (Unacknowledged& one : unacknowledged_) {
    one.operation.outcome = outcome;
    recorder_->End(one.id, std::move(one.operation));
  }
  unacknowledged_.clear();
}

void RecordingStore::Record(Operation operation, absl::FunctionRef<void(Operation&)> call) {
  operation.client = client_;
  const HistoryRecorder::Id id = recorder_->Begin(operation);
  try {
    call(operation);
    Settle(Outcome::kOk);
    recorder_->End(id, std::move(operation));
  } catch (const DistError& error) {
    operation.outcome = OutcomeOf(error);
    // After a lost connection nobody knows what became of what was sent before it; any answer says
    // that it was done.
    if (operation.outcome != Outcome::kFailed) Settle(operation.outcome);
    recorder_->End(id, std::move(operation));
    throw;
  }
}

void RecordingStore::RecordUnacknowledged(Operation operation, absl::FunctionRef<void()> call) {
  operation.client = client_;
  const HistoryRecorder::Id id = recorder_->Begin(operation);
  unacknowledged_.push_back({id, std::move(operation)});
  try {
    call();
  } catch (const DistError& error) {
    const Outcome outcome = OutcomeOf(error);
    if (outcome == Outcome::kFailed) {
      // Only this one: those before it are on their way.
      Operation failed = std::move(unacknowledged_.back().operation);
      unacknowledged_.pop_back();
      failed.outcome = outcome;
      recorder_->End(id, std::move(failed));
    } else {
      Settle(Outcome::kUnknown);
    }
    throw;
  }
}

void RecordingStore::Set(absl::string_view key, absl::string_view value) {
  RecordUnacknowledged(Call(HistoryKind::kSet, key, {std::string(value)}),
                       [&] { store_->Set(key, value); });
}

std::string RecordingStore::CompareSet(absl::string_view key, absl::string_view expected,
                                       absl::string_view desired) {
  std::string held;
  Record(Call(HistoryKind::kCompareSet, key, {std::string(expected), std::string(desired)}),
         [&](Operation& operation) {
           held = store_->CompareSet(key, expected, desired);
           operation.results = {held};
         });
  return held;
}

std::string RecordingStore::Get(absl::string_view key, absl::Duration timeout) {
  std::string value;
  Record(Call(HistoryKind::kGet, key), [&](Operation& operation) {
    value = store_->Get(key, timeout);
    operation.results = {value};
  });
  return value;
}

int64_t RecordingStore::Add(absl::string_view key, int64_t delta) {
  int64_t sum = 0;
  Operation call = Call(HistoryKind::kAdd, key);
  call.number = delta;
  Record(std::move(call),
         [&](Operation& operation) { operation.result_number = sum = store_->Add(key, delta); });
  return sum;
}

bool RecordingStore::Check(absl::Span<const std::string> keys) {
  bool there = false;
  Record(Call(HistoryKind::kCheck, keys), [&](Operation& operation) {
    there = store_->Check(keys);
    operation.result_number = there ? 1 : 0;
  });
  return there;
}

void RecordingStore::Wait(absl::Span<const std::string> keys, absl::Duration timeout) {
  Record(Call(HistoryKind::kWait, keys), [&](Operation&) { store_->Wait(keys, timeout); });
}

bool RecordingStore::DeleteKey(absl::string_view key) {
  bool deleted = false;
  Record(Call(HistoryKind::kDeleteKey, key), [&](Operation& operation) {
    deleted = store_->DeleteKey(key);
    operation.result_number = deleted ? 1 : 0;
  });
  return deleted;
}

void RecordingStore::Append(absl::string_view key, absl::string_view value) {
  RecordUnacknowledged(Call(HistoryKind::kAppend, key, {std::string(value)}),
                       [&] { store_->Append(key, value); });
}

std::vector<std::string> RecordingStore::MultiGet(absl::Span<const std::string> keys) {
  std::vector<std::string> values;
  Record(Call(HistoryKind::kMultiGet, keys), [&](Operation& operation) {
    values = store_->MultiGet(keys);
    operation.results = values;
  });
  return values;
}

void RecordingStore::MultiSet(absl::Span<const std::string> keys,
                              absl::Span<const std::string> values) {
  RecordUnacknowledged(Call(HistoryKind::kMultiSet, keys, values),
                       [&] { store_->MultiSet(keys, values); });
}

void RecordingStore::QueuePush(absl::string_view key, absl::string_view value) {
  RecordUnacknowledged(Call(HistoryKind::kQueuePush, key, {std::string(value)}),
                       [&] { store_->QueuePush(key, value); });
}

std::string RecordingStore::QueuePop(absl::string_view key, bool block, absl::Duration timeout) {
  std::string value;
  Record(Call(HistoryKind::kQueuePop, key), [&](Operation& operation) {
    try {
      value = store_->QueuePop(key, block, timeout);
      operation.results = {value};
    } catch (const DistQueueEmptyError&) {
      operation.kind = HistoryKind::kQueueEmpty;
      throw;
    }
  });
  return value;
}

int64_t RecordingStore::QueueLen(absl::string_view key) {
  int64_t length = 0;
  Record(Call(HistoryKind::kQueueLen, key),
         [&](Operation& operation) { operation.result_number = length = store_->QueueLen(key); });
  return length;
}

std::unique_ptr<Store> RecordingStore::Clone() {
  return std::make_unique<RecordingStore>(std::shared_ptr<Store>(store_->Clone()), recorder_);
}

}  // namespace rollcall::fault
