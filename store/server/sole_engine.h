// An engine for one event loop alone.
#ifndef ROLLCALL_STORE_SERVER_SOLE_ENGINE_H_
#define ROLLCALL_STORE_SERVER_SOLE_ENGINE_H_

#include <atomic>
#include <cstddef>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "store/engine/store_engine.h"
#include "store/server/engine_port.h"
#include "store/server/snapshot_parts.h"

namespace rollcall {

// Without a lock, and without late replies. What it gives may be written from where it is.
class SoleEngine final : public EnginePort {
 public:
  SoleEngine() = default;

  // For tests and leak checks; the loop's thread.
  const engine::StoreEngine& engine() const { return engine_; }

  void SetWake(absl::AnyInvocable<void()> /*wake*/) override {}
  void Begin(LateReplies& /*late*/) override {}
  void End() override {
    keys_.store(engine_.key_count(), std::memory_order_relaxed);
    waiting_clients_.store(engine_.waiting_clients(), std::memory_order_relaxed);
  }
  void Connect(engine::ClientId client, protocol::Dialect dialect,
               absl::string_view /*name_space*/) override {
    engine_.Connect(client, dialect);
  }
  bool Disconnect(engine::ClientId client, absl::Time now) override {
    return engine_.Disconnect(client, now);
  }
  bool Awaits(engine::ClientId client) override { return engine_.Awaits(client); }
  void Apply(engine::ClientId from, protocol::Request& request, absl::Time now,
             engine::Replies& replies) override {
    engine_.Apply(from, request, now, replies);
  }
  bool replies_outlive_batches() const override { return true; }
  std::vector<EngineSnapshot> Snapshot() override { return {TakeEngineSnapshot(engine_)}; }
  EngineNumbers numbers() const override {
    return {.keys = keys_.load(std::memory_order_relaxed),
            .waiting_clients = waiting_clients_.load(std::memory_order_relaxed)};
  }

 private:
  engine::StoreEngine engine_;
  std::atomic<size_t> keys_{0};
  std::atomic<size_t> waiting_clients_{0};
};

}  // namespace rollcall

#endif  // ROLLCALL_STORE_SERVER_SOLE_ENGINE_H_
