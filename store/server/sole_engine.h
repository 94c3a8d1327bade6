// An engine for one event loop alone.
#ifndef ROLLCALL_STORE_SERVER_SOLE_ENGINE_H_
#define ROLLCALL_STORE_SERVER_SOLE_ENGINE_H_

#include <atomic>
#include <cstddef>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "store/engine/name_spaces.h"
#include "store/engine/store_engine.h"
#include "store/server/engine_port.h"
#include "store/server/snapshot_parts.h"

namespace rollcall {

// Without a lock, and without late replies. What it gives may be written from where it is.
class SoleEngine final : public EnginePort {
 public:
  SoleEngine() = default;
  explicit SoleEngine(const engine::NameSpaceLimits& limits) : stores_(limits) {}

  // The default name space's. For tests and leak checks; the loop's thread.
  const engine::StoreEngine& engine() const { return stores_.default_one(); }

  void SetWake(absl::AnyInvocable<void()> /*wake*/) override {}
  void Begin(LateReplies& /*late*/) override {}
  void End() override {
    keys_.store(stores_.key_count(), std::memory_order_relaxed);
    waiting_clients_.store(stores_.waiting_clients(), std::memory_order_relaxed);
    memory_bytes_.store(stores_.budget().bytes_used, std::memory_order_relaxed);
  }
  void Connect(engine::ClientId client, protocol::Dialect dialect,
               absl::string_view name_space) override {
    stores_.Connect(client, dialect, name_space);
  }
  bool Disconnect(engine::ClientId client, absl::Time now) override {
    return stores_.Disconnect(client, now);
  }
  bool Awaits(engine::ClientId client) override { return stores_.Awaits(client); }
  void Apply(engine::ClientId from, protocol::Request& request, absl::Time now,
             engine::Replies& replies) override {
    stores_.Apply(from, request, now, replies);
  }
  bool replies_outlive_batches() const override { return true; }
  void CountAlso(const std::atomic<size_t>* bytes) override { stores_.CountAlso(bytes); }
  std::vector<EngineSnapshot> Snapshot() override { return TakeEngineSnapshots(stores_); }
  EngineNumbers numbers() const override {
    return {.keys = keys_.load(std::memory_order_relaxed),
            .waiting_clients = waiting_clients_.load(std::memory_order_relaxed),
            .memory_bytes = memory_bytes_.load(std::memory_order_relaxed)};
  }

 private:
  engine::NameSpaces stores_;
  std::atomic<size_t> keys_{0};
  std::atomic<size_t> waiting_clients_{0};
  std::atomic<size_t> memory_bytes_{0};
};

}  // namespace rollcall

#endif  // ROLLCALL_STORE_SERVER_SOLE_ENGINE_H_
