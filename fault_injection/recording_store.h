// A Store that writes down what was asked of another and what it answered.
#ifndef ROLLCALL_FAULT_INJECTION_RECORDING_STORE_H_
#define ROLLCALL_FAULT_INJECTION_RECORDING_STORE_H_

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/functional/function_ref.h"
#include "absl/strings/string_view.h"
#include "fault_injection/history.h"
#include "net/env.h"
#include "net/monitor.h"
#include "store/dist_error.h"
#include "store/store.h"

namespace rollcall::fault {

// What several RecordingStores write down. Thread-safe.
class HistoryRecorder {
 public:
  // `env` must outlive it, and gives the times.
  explicit HistoryRecorder(net::Env& env);

  using Id = int64_t;

  // An operation is under way, from now on.
  Id Begin(Operation& operation);
  // It is not any more: `operation` has its outcome, and has returned now.
  void End(Id id, Operation operation);
  int NewClient();
  // So far. What is under way, or was when its process died, is unknown.
  History history() const;

 private:
  net::Env& env_;
  const std::unique_ptr<net::Monitor> monitor_;
  int next_client_ ABSL_GUARDED_BY(*monitor_) = 0;
  Id next_id_ ABSL_GUARDED_BY(*monitor_) = 0;
  std::map<Id, Operation> under_way_ ABSL_GUARDED_BY(*monitor_);
  History history_ ABSL_GUARDED_BY(*monitor_);
};

// Forwards every call. An error becomes an outcome: time-outs and refusals of a call that changes
// nothing say nothing; a change is kFailed where the error says that it was not made (a refused
// value, a limit), and kUnknown else (a lost connection, a reply that did not come). Set, append,
// multi_set and queue_push have no reply on TcpStore's wire: they count as returned when a later
// call of the same client has been answered, and as unknown if none was.
//
// NumKeys, ListKeys and Barrier are forwarded and not recorded: the model has no place for them.
// One thread at a time, and one client of the history: give each thread its own.
class RecordingStore : public Store {
 public:
  // `recorder` must outlive it.
  RecordingStore(std::shared_ptr<Store> store, HistoryRecorder* recorder);
  // Whatever is still without an answer becomes unknown.
  ~RecordingStore() override;

  using Store::Barrier;
  using Store::Get;
  using Store::QueuePop;
  using Store::Wait;

  void Set(absl::string_view key, absl::string_view value) override;
  std::string CompareSet(absl::string_view key, absl::string_view expected,
                         absl::string_view desired) override;
  std::string Get(absl::string_view key, absl::Duration timeout) override;
  int64_t Add(absl::string_view key, int64_t delta) override;
  bool Check(absl::Span<const std::string> keys) override;
  void Wait(absl::Span<const std::string> keys, absl::Duration timeout) override;
  bool DeleteKey(absl::string_view key) override;
  int64_t NumKeys() override { return store_->NumKeys(); }
  bool HasExtendedApi() const override { return store_->HasExtendedApi(); }
  void Append(absl::string_view key, absl::string_view value) override;
  std::vector<std::string> MultiGet(absl::Span<const std::string> keys) override;
  void MultiSet(absl::Span<const std::string> keys, absl::Span<const std::string> values) override;
  void QueuePush(absl::string_view key, absl::string_view value) override;
  std::string QueuePop(absl::string_view key, bool block, absl::Duration timeout) override;
  int64_t QueueLen(absl::string_view key) override;
  std::vector<std::string> ListKeys() override { return store_->ListKeys(); }
  void Barrier(absl::string_view key, int64_t world_size, absl::Duration timeout) override {
    store_->Barrier(key, world_size, timeout);
  }
  absl::Duration timeout() const override { return store_->timeout(); }
  void SetTimeout(absl::Duration timeout) override { store_->SetTimeout(timeout); }
  // Records on, as another client: give it a thread of its own.
  std::unique_ptr<Store> Clone() override;
  std::string Describe() const override { return store_->Describe(); }

 private:
  // Runs `call`, which fills in the results, and records the operation with its outcome.
  void Record(Operation operation, absl::FunctionRef<void(Operation&)> call);
  // Runs `call`, whose effect is only certain once a later call has been answered.
  void RecordUnacknowledged(Operation operation, absl::FunctionRef<void()> call);
  void Settle(Outcome outcome);

  const std::shared_ptr<Store> store_;
  HistoryRecorder* const recorder_;
  const int client_;
  struct Unacknowledged {
    HistoryRecorder::Id id;
    Operation operation;
  };
  std::vector<Unacknowledged> unacknowledged_;
};

}  // namespace rollcall::fault

#endif  // ROLLCALL_FAULT_INJECTION_RECORDING_STORE_H_
