// How one event loop uses a JournaledEngine.
#ifndef ROLLCALL_STORE_JOURNAL_JOURNALED_PORT_H_
#define ROLLCALL_STORE_JOURNAL_JOURNALED_PORT_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/functional/any_invocable.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "net/env.h"
#include "store/engine/client_id.h"
#include "store/engine/store_engine.h"
#include "store/journal/journaled_state.h"
#include "store/protocol/dialect.h"
#include "store/protocol/features.h"
#include "store/protocol/request.h"
#include "store/server/engine_port.h"
#include "store/server/late_replies.h"
#include "store/server/loop_wake.h"
#include "store/server/snapshot_parts.h"

namespace rollcall {

// Of replies that are late, `gathered_` have to wait for the next commit, `committing_` for the one
// that is on its way, and `inbox_` for the loop.
class JournaledPort final : public EnginePort {
 public:
  JournaledPort(JournaledState* state, net::Env& env) : state_(*state), wake_(env) {}

  void SetWake(absl::AnyInvocable<void()> wake) override { wake_.Set(std::move(wake)); }
  void Begin(LateReplies& late) override ABSL_NO_THREAD_SAFETY_ANALYSIS;
  void End() override ABSL_NO_THREAD_SAFETY_ANALYSIS;

  void Connect(engine::ClientId client, protocol::Dialect dialect,
               absl::string_view name_space) override;
  bool Disconnect(engine::ClientId client, absl::Time now) override;
  bool Awaits(engine::ClientId client) override;
  void Apply(engine::ClientId from, protocol::Request& request, absl::Time now,
             engine::Replies& replies) override;

  bool replies_outlive_batches() const override { return false; }
  bool answers_later() const override { return true; }
  bool IsFull(engine::ClientId client) override;
  bool IsDone(engine::ClientId client) override;
  uint32_t features() const override { return protocol::kServerFeatures | protocol::kKeepsJournal; }

  void CountAlso(const std::atomic<size_t>* bytes) override;
  std::vector<EngineSnapshot> Snapshot() override;
  EngineNumbers numbers() const override;

  // --- For the state, under its lock ---
  void BeginCommit();
  // `all`: what was gathered meanwhile shows nothing that the journal lacks. True if the loop is to
  // be woken.
  bool EndCommit(bool all);
  // The commit failed: nobody is told what it had.
  void DropAll();
  size_t waiting_replies() const;
  // Without that lock.
  void Wake() { wake_.Wake(); }

 private:
  void ApplyNumbered(engine::ClientId from, int64_t number, protocol::Request& request,
                     absl::Time now, engine::Replies& replies)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(state_.monitor);
  // Whether what will be kept of the answer to a numbered request has room; if not, the client is
  // told. `*reserved` bytes of it are to be given back.
  bool ReserveForAnswer(engine::ClientId from, const protocol::Request& request, size_t* reserved,
                        engine::Replies& replies) ABSL_EXCLUSIVE_LOCKS_REQUIRED(state_.monitor);
  void UseSession(engine::ClientId from, protocol::Request& request, absl::Time now,
                  engine::Replies& replies) ABSL_EXCLUSIVE_LOCKS_REQUIRED(state_.monitor);
  // Sends each of replies, from `begin` on, on its way.
  void PassOn(size_t begin, engine::Replies& replies) ABSL_EXCLUSIVE_LOCKS_REQUIRED(state_.monitor);
  // Nothing has to be waited for, neither by this reply nor by one before it.
  bool MayLeaveNow() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(state_.monitor) {
    return state_.is_clean() && inbox_.empty();
  }
  LateReplies& Late() ABSL_EXCLUSIVE_LOCKS_REQUIRED(state_.monitor) {
    return state_.is_clean() ? inbox_ : gathered_;
  }
  // To a client of this loop, in any loop's batch.
  void Receive(const engine::Outgoing& outgoing, std::vector<JournaledPort*>& to_wake);
  void ReceiveBytes(engine::ClientId to, absl::string_view bytes,
                    std::vector<JournaledPort*>& to_wake);
  // It has been appended, or had no room.
  void Received(engine::ClientId to, size_t bytes, bool has_room,
                std::vector<JournaledPort*>& to_wake) ABSL_EXCLUSIVE_LOCKS_REQUIRED(state_.monitor);
  void BeWoken(std::vector<JournaledPort*>& to_wake) ABSL_EXCLUSIVE_LOCKS_REQUIRED(state_.monitor);
  size_t waiting_bytes() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(state_.monitor) {
    return gathered_.size_bytes() + committing_.size_bytes() + inbox_.size_bytes();
  }
  void HangUpOnAll() ABSL_EXCLUSIVE_LOCKS_REQUIRED(state_.monitor);
  void GiveInbox(LateReplies& late) ABSL_EXCLUSIVE_LOCKS_REQUIRED(state_.monitor);

  JournaledState& state_;
  LoopWake wake_;
  std::vector<JournaledPort*> to_wake_;  // Of the batch at hand; its loop's alone.

  absl::flat_hash_set<engine::ClientId> clients_ ABSL_GUARDED_BY(state_.monitor);
  // Their loop will close them when it comes to it; what they send until then is not applied.
  absl::flat_hash_set<engine::ClientId> hung_up_ ABSL_GUARDED_BY(state_.monitor);
  // Of the request that comes next.
  absl::flat_hash_map<engine::ClientId, int64_t> numbers_ ABSL_GUARDED_BY(state_.monitor);
  LateReplies gathered_ ABSL_GUARDED_BY(state_.monitor);
  LateReplies committing_ ABSL_GUARDED_BY(state_.monitor);
  LateReplies inbox_ ABSL_GUARDED_BY(state_.monitor);
  // Bytes in the three of them.
  absl::flat_hash_map<engine::ClientId, size_t> held_ ABSL_GUARDED_BY(state_.monitor);
  // Clients for whom a kGoOn is to come once nothing is held for them.
  absl::flat_hash_set<engine::ClientId> awaits_go_on_ ABSL_GUARDED_BY(state_.monitor);
  bool is_woken_ ABSL_GUARDED_BY(state_.monitor) = false;
};

}  // namespace rollcall

#endif  // ROLLCALL_STORE_JOURNAL_JOURNALED_PORT_H_
