#include "store/server/shared_engine.h"

#include <utility>
#include <vector>

#include "absl/strings/string_view.h"
#include "glog/logging.h"
#include "store/server/loop_number.h"
#include "store/server/snapshot_parts.h"

namespace rollcall {

// The lock is held from Begin to End, which the analysis cannot follow through an interface.
class SharedEngine::Port final : public EnginePort {
 public:
  explicit Port(SharedEngine* shared) : shared_(*shared) {}

  void SetWake(absl::AnyInvocable<void()> wake) override { wake_ = std::move(wake); }

  void Begin(LateReplies& late) override ABSL_NO_THREAD_SAFETY_ANALYSIS {
    shared_.monitor_->Lock();
    is_woken_ = false;
    if (!inbox_.empty()) inbox_.Swap(late);
  }

  void End() override ABSL_NO_THREAD_SAFETY_ANALYSIS {
    shared_.keys_.store(shared_.stores_.key_count(), std::memory_order_relaxed);
    shared_.waiting_clients_.store(shared_.stores_.waiting_clients(), std::memory_order_relaxed);
    shared_.memory_bytes_.store(shared_.stores_.budget().bytes_used, std::memory_order_relaxed);
    shared_.monitor_->Unlock();
    for (Port* const port : to_wake_) port->wake_();
    to_wake_.clear();
  }

  void Connect(engine::ClientId client, protocol::Dialect dialect,
               absl::string_view name_space) override ABSL_NO_THREAD_SAFETY_ANALYSIS {
    shared_.stores_.Connect(client, dialect, name_space);
  }

  bool Disconnect(engine::ClientId client, absl::Time now) override ABSL_NO_THREAD_SAFETY_ANALYSIS {
    return shared_.stores_.Disconnect(client, now);
  }

  bool Awaits(engine::ClientId client) override ABSL_NO_THREAD_SAFETY_ANALYSIS {
    return shared_.stores_.Awaits(client);
  }

  void Apply(engine::ClientId from, protocol::Request& request, absl::Time now,
             engine::Replies& replies) override ABSL_NO_THREAD_SAFETY_ANALYSIS {
    const size_t before = replies.size();
    shared_.stores_.Apply(from, request, now, replies);
    size_t kept = before;
    for (size_t i = before; i < replies.size(); ++i) {
      Port& port = *shared_.ports_[LoopOf(replies[i].to)];
      if (&port != this) {
        port.Receive(replies[i], to_wake_);
      } else {
        if (kept != i) replies[kept] = std::move(replies[i]);
        ++kept;
      }
    }
    replies.erase(replies.begin() + static_cast<ptrdiff_t>(kept), replies.end());
  }

  bool replies_outlive_batches() const override { return false; }

  void CountAlso(const std::atomic<size_t>* bytes) override {
    net::MonitorLock lock(shared_.monitor_);
    shared_.stores_.CountAlso(bytes);
  }

  std::vector<EngineSnapshot> Snapshot() override {
    net::MonitorLock lock(shared_.monitor_);
    return TakeEngineSnapshots(shared_.stores_);
  }

  EngineNumbers numbers() const override {
    return {.keys = shared_.keys_.load(std::memory_order_relaxed),
            .waiting_clients = shared_.waiting_clients_.load(std::memory_order_relaxed),
            .memory_bytes = shared_.memory_bytes_.load(std::memory_order_relaxed)};
  }

 private:
  // In another port's batch. If nobody has woken this one since it last looked, it is added to
  // `to_wake`.
  void Receive(const engine::Outgoing& outgoing, std::vector<Port*>& to_wake) {
    inbox_.AppendBounded(inbox_.size_bytes(), outgoing.to, outgoing.reply);
    if (!std::exchange(is_woken_, true)) to_wake.push_back(this);
  }

  SharedEngine& shared_;
  absl::AnyInvocable<void()> wake_;
  std::vector<Port*> to_wake_;  // Of the batch at hand.

  // Guarded by the engine's lock, as the engine is.
  LateReplies inbox_;
  bool is_woken_ = false;
};

SharedEngine::SharedEngine(std::unique_ptr<net::Monitor> monitor, size_t loops,
                           const engine::NameSpaceLimits& limits)
    : owned_monitor_(std::move(monitor)), monitor_(owned_monitor_.get()), stores_(limits) {
  CHECK_LE(loops, kServerLoopsMax);
  for (size_t i = 0; i < loops; ++i) ports_.push_back(std::make_unique<Port>(this));
}

SharedEngine::~SharedEngine() = default;

EnginePort* SharedEngine::port(size_t loop) const { return ports_[loop].get(); }

}  // namespace rollcall
