#include "fault_injection/sim_monitor.h"

#include <algorithm>
#include <utility>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/str_cat.h"
#include "glog/logging.h"

namespace rollcall::fault {

// On the stack of the fiber that waits.
struct SimMonitor::Waiter {
  const FiberId fiber;
  const std::string& actor;
  bool is_notified = false;
  bool has_lock = false;
};

SimMonitor::SimMonitor(World* world, std::string name) : world_(*world), name_(std::move(name)) {}

SimMonitor::~SimMonitor() {
  if (!world_.abandoned().empty()) return;
  CHECK(!is_held_ && for_lock_.empty() && for_notify_.empty())
      << name_ << " is destroyed while " << (is_held_ ? *holder_ : "somebody") << " uses it";
}

std::string SimMonitor::LockText() const { return absl::StrCat(name_, ", held by ", *holder_); }

void SimMonitor::Lock() {
  if (world_.yields()) world_.Yield("lock");
  if (!is_held_) {
    is_held_ = true;
    holder_ = &world_.current_actor();
    return;
  }
  Waiter self{.fiber = world_.current(), .actor = world_.current_actor()};
  for_lock_.push_back(&self);
  AwaitLock(self);
}

void SimMonitor::AwaitLock(Waiter& self) {
  while (!self.has_lock) world_.BlockThroughKill(absl::InfiniteFuture(), LockText());
}

void SimMonitor::Unlock() {
  CHECK(is_held_) << name_ << " is unlocked but not held";
  is_held_ = false;
  Grant();
}

// To one of those that wait for the lock, if it is free.
void SimMonitor::Grant() {
  if (is_held_ || for_lock_.empty()) return;
  const bool is_fair = world_.options().policy == SchedulePolicy::kFifo;
  const uint64_t index = is_fair ? 0 : world_.Choose("lock.next", for_lock_.size());
  const auto next = for_lock_.begin() + static_cast<ptrdiff_t>(index);
  Waiter& waiter = **next;
  for_lock_.erase(next);
  is_held_ = true;
  holder_ = &waiter.actor;
  waiter.has_lock = true;
  world_.Unblock(waiter.fiber);
}

bool SimMonitor::WaitUntil(absl::Time deadline) {
  if (world_.is_being_killed()) {
    Unlock();
    const auto lock_again = absl::MakeCleanup([this] { Lock(); });
    world_.Block(deadline, "its end");
    return false;
  }
  Waiter self{.fiber = world_.current(), .actor = world_.current_actor()};
  for_notify_.push_back(&self);
  Unlock();
  World::Wake wake = World::Wake::kUnblocked;
  while (!self.is_notified && wake == World::Wake::kUnblocked) {
    wake = world_.BlockThroughKill(deadline, absl::StrCat("a notification of ", name_));
  }
  if (!self.is_notified) {
    for_notify_.erase(std::find(for_notify_.begin(), for_notify_.end(), &self));
    for_lock_.push_back(&self);
    Grant();
  }
  AwaitLock(self);
  // Now that it holds the lock as its caller expects, a fiber that is being killed may go.
  if (wake == World::Wake::kKilled) world_.Block(absl::InfinitePast(), "its end");
  return self.is_notified;
}

void SimMonitor::NotifyAll() {
  // They would all wake only to queue for the lock: they queue asleep.
  for (Waiter* const waiter : for_notify_) {
    waiter->is_notified = true;
    for_lock_.push_back(waiter);
  }
  for_notify_.clear();
  Grant();
}

}  // namespace rollcall::fault
