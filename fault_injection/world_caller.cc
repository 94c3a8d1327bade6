// The code around a world as one of its fibers. What Run does is then done on a stack of its own,
// the hub, since the caller's stack may be in the middle of anything.
#include <utility>

#include "fault_injection/world.h"
#include "fault_injection/world_parts.h"
#include "glog/logging.h"

namespace rollcall::fault {

void World::AttachCaller(std::string actor) {
  CheckThread();
  CHECK(!is_running_ && outside_ == nullptr && running_world_ == nullptr)
      << "a world runs already on this thread";
  is_running_ = true;
  running_world_ = this;
  outside_ = &hub_.emplace(&World::HubMain, this);
  caller_ = &NewFiber(std::move(actor), /*is_daemon=*/false);
  caller_->context.emplace();
  Enter(*caller_);
}

void World::DetachCaller() {
  CheckThread();
  CHECK(current_ == caller_ && caller_ != nullptr);
  WorldFiber& caller = *std::exchange(caller_, nullptr);
  // The hub ends, and comes back here for good.
  Fiber::Switch(*caller.context, *hub_);
  outside_ = nullptr;
  hub_.reset();
  End(caller, "");
  caller.context.reset();
  free_fibers_.push_back(&caller);
  current_ = nullptr;
  running_world_ = nullptr;
  is_running_ = false;
}

void World::HubMain(void* world) {
  auto& self = *static_cast<World*>(world);
  self.RunHub();
  Fiber::SwitchForGood(*self.hub_, *self.current_->context);
}

void World::RunHub() {
  while (caller_ != nullptr) {
    Reap();
    Runnable* next = std::exchange(handed_over_, nullptr);
    if (next == nullptr) next = NextReady();
    if (next != nullptr) {
      Dispatch(*next);
      continue;
    }
    CheckLimits();
    if (failure_.ok() && AdvanceClock(absl::InfiniteFuture())) continue;
    CHECK(!caller_->is_doomed) << "the code around a world is blocked where it cannot be told that "
                               << failure_.message();
    // The others first, so that the caller finds nobody whom it would wait for in vain.
    for (WorldFiber* const fiber : fiber_of_id_) {
      if (fiber != nullptr && fiber != caller_) Doom(*fiber);
    }
    Doom(*caller_);
  }
}

}  // namespace rollcall::fault
