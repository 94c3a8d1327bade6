// The life and death of a world's fibers.
#include <cxxabi.h>

#include <cstdlib>
#include <exception>
#include <mutex>
#include <typeinfo>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "fault_injection/world.h"
#include "fault_injection/world_parts.h"
#include "glog/logging.h"

namespace rollcall::fault {
namespace {

// A fiber that was told so often to end and blocks once more is one that will not.
constexpr int kUnwindingsMax = 1000;

std::terminate_handler terminate_as_before = nullptr;

std::string CurrentExceptionText() {
  try {
    throw;
  } catch (const std::exception& error) {
    return error.what();
  } catch (...) {
    const std::type_info* const type = abi::__cxa_current_exception_type();
    return type == nullptr ? "?" : type->name();
  }
}

}  // namespace

// --- Life ---

FiberId World::Spawn(std::string actor, absl::AnyInvocable<void()> body) {
  return AddFiber(std::move(actor), current_ != nullptr && current_->is_daemon, std::move(body));
}

FiberId World::SpawnDaemon(std::string actor, absl::AnyInvocable<void()> body) {
  return AddFiber(std::move(actor), /*is_daemon=*/true, std::move(body));
}

FiberId World::AddFiber(std::string actor, bool is_daemon, absl::AnyInvocable<void()> body) {
  CheckThread();
  WorldFiber& fiber = NewFiber(std::move(actor), is_daemon);
  fiber.body = std::move(body);
  MakeReady(fiber);
  return fiber.id;
}

World::WorldFiber& World::NewFiber(std::string actor, bool is_daemon) {
  if (free_fibers_.empty()) free_fibers_.push_back(&fiber_slots_.emplace_back(*this));
  WorldFiber& fiber = *free_fibers_.back();
  free_fibers_.pop_back();
  fiber_of_id_.push_back(&fiber);
  fiber.id = fiber_of_id_.size();
  fiber.actor = &ActorNamed(actor);
  fiber.is_daemon = is_daemon;
  // A process that ends cannot begin anything: then only what the body owns will be unwound.
  fiber.is_doomed = is_being_killed();
  fiber.is_paused = false;
  fiber.unwindings = 0;
  fiber.wake = Wake::kUnblocked;
  if (!is_daemon) ++workers_;
  Record(TraceKind::kSpawn, *fiber.actor, fiber.id, [&] { return absl::StrCat(fiber.id); });
  return fiber;
}

void World::FiberMain(void* fiber) {
  auto& self = *static_cast<WorldFiber*>(fiber);
  self.world.Reap();
  self.world.RunBody(self);
  self.world.EndCurrent(self, self.is_doomed ? "killed" : "");
}

void World::RunBody(WorldFiber& self) {
  try {
    // Here, and not by whoever takes the fiber back: what it owns may block as it goes.
    absl::AnyInvocable<void()> body = std::move(self.body);
    if (!self.is_doomed) body();
  } catch (const FiberKilled&) {
  } catch (...) {
    // What an ended process would have raised is of no interest.
    if (self.is_doomed) return;
    Fail(absl::InternalError(
        absl::StrCat("ended because ", self.actor->name, " raised: ", CurrentExceptionText())));
  }
}

void World::End(WorldFiber& fiber, absl::string_view how) {
  Record(TraceKind::kEnd, *fiber.actor, fiber.id,
         [&] { return std::string(how.data(), how.size()); });
  fiber.state = WorldFiber::State::kEnded;
  fiber_of_id_[fiber.id - 1] = nullptr;
  if (!fiber.is_daemon) --workers_;
  for (const FiberId joiner : std::exchange(fiber.joiners, {})) Unblock(joiner);
}

void World::EndCurrent(WorldFiber& self, absl::string_view how) {
  End(self, how);
  ended_ = &self;
  Runnable* const next = NextReady();
  if (next != nullptr && next->is_fiber) {
    auto& fiber = static_cast<WorldFiber&>(*next);
    Enter(fiber);
    Fiber::SwitchForGood(*self.context, *fiber.context);
  }
  handed_over_ = next;
  current_ = nullptr;
  Fiber::SwitchForGood(*self.context, *outside_);
}

// After each switch: the stack that was left may be that of a fiber that has ended.
void World::Reap() {
  WorldFiber* const fiber = std::exchange(ended_, nullptr);
  if (fiber == nullptr) return;
  fiber->context.reset();
  free_fibers_.push_back(fiber);
}

World::WorldFiber* World::Find(FiberId fiber) const {
  return fiber == 0 || fiber > fiber_of_id_.size() ? nullptr : fiber_of_id_[fiber - 1];
}

bool World::IsAlive(FiberId fiber) const { return Find(fiber) != nullptr; }

bool World::is_being_killed() const { return current_ != nullptr && current_->is_doomed; }

FiberId World::current() {
  CheckThread();
  return current_ == nullptr ? 0 : current_->id;
}

const std::string& World::current_actor() { return CurrentActor().name; }

void World::MakeReady(WorldFiber& fiber) {
  fiber.state = WorldFiber::State::kReady;
  if (fiber.is_doomed) {
    doomed_ready_.push_back(&fiber);
    return;
  }
  if (fiber.is_paused) return;
  if (ready_.draws_places()) {
    Actor& actor = *fiber.actor;
    if (actor.fiber_site == nullptr) actor.fiber_site = &choices_.SiteOf(actor, "turn");
    fiber.schedule_site = actor.fiber_site;
    fiber.turn = ++actor.fiber_turns;
  }
  ready_.Push(fiber);
}

World::Wake World::Suspend(WorldFiber& self, absl::Time deadline, absl::string_view waits_for) {
  Record(TraceKind::kBlock, *self.actor, self.id,
         [&] { return std::string(waits_for.data(), waits_for.size()); });
  self.waits_for = waits_for;
  self.blocked_since = now_;
  self.deadline = deadline;
  self.wake = Wake::kUnblocked;
  if (deadline <= now_) {
    self.wake = Wake::kDeadline;
    MakeReady(self);
  } else {
    self.state = WorldFiber::State::kBlocked;
    if (deadline != absl::InfiniteFuture()) timers_.Push(self, deadline);
  }
  LeaveCurrent(self);
  return self.wake;
}

void World::Unblock(FiberId id) {
  CheckThread();
  WorldFiber* const fiber = Find(id);
  if (fiber == nullptr) return;
  if (fiber->state == WorldFiber::State::kBlocked) {
    timers_.Remove(*fiber);
    MakeReady(*fiber);
    fiber->wake = Wake::kUnblocked;
  } else if (fiber->state == WorldFiber::State::kReady && fiber->wake == Wake::kDeadline) {
    // Both came at one moment, before it ran: it must not lose what it was called for.
    fiber->wake = Wake::kUnblocked;
  }
}

bool World::Block(absl::Time deadline, absl::string_view waits_for) {
  CheckThread();
  CHECK(current_ != nullptr) << "blocked outside every fiber, waiting for " << waits_for
                             << ": an event, or the code around a world, must not wait";
  WorldFiber& self = *current_;
  const Wake wake = self.is_doomed ? Wake::kKilled : Suspend(self, deadline, waits_for);
  if (wake == Wake::kKilled) Unwind(self);
  return wake == Wake::kUnblocked;
}

World::Wake World::BlockThroughKill(absl::Time deadline, absl::string_view waits_for) {
  CheckThread();
  CHECK(current_ != nullptr) << "blocked outside every fiber, waiting for " << waits_for
                             << ": an event, or the code around a world, must not wait";
  return Suspend(*current_, deadline, waits_for);
}

void World::Join(FiberId id) {
  CheckThread();
  while (WorldFiber* const fiber = Find(id)) {
    CHECK(current_ != nullptr) << "joined outside every fiber: the thread of "
                               << fiber->actor->name;
    CHECK(fiber != current_) << fiber->actor->name << " joins itself";
    fiber->joiners.push_back(current_->id);
    BlockThroughKill(absl::InfiniteFuture(), absl::StrCat(fiber->actor->name, " to end"));
  }
}

// --- Standing still ---

bool World::IsOf(const WorldFiber* fiber, absl::string_view host) {
  if (fiber == nullptr || !absl::StartsWith(fiber->actor->name, host)) return false;
  const absl::string_view rest = absl::string_view(fiber->actor->name).substr(host.size());
  return rest.empty() || rest.front() == '/';
}

void World::Pause(absl::string_view host) {
  CheckThread();
  for (WorldFiber* const fiber : fiber_of_id_) {
    if (!IsOf(fiber, host) || fiber->is_doomed) continue;
    fiber->is_paused = true;
    if (fiber->state == WorldFiber::State::kReady) ready_.Remove(*fiber);
  }
  if (current_ != nullptr && current_->is_paused) GiveWay(*current_);
}

void World::Resume(absl::string_view host) {
  CheckThread();
  for (WorldFiber* const fiber : fiber_of_id_) {
    if (!IsOf(fiber, host) || !fiber->is_paused) continue;
    fiber->is_paused = false;
    if (fiber->state == WorldFiber::State::kReady && !fiber->is_doomed) MakeReady(*fiber);
  }
}

// --- Death ---

void World::Kill(absl::string_view host) {
  CheckThread();
  for (WorldFiber* const fiber : fiber_of_id_) {
    if (IsOf(fiber, host)) Doom(*fiber);
  }
  if (current_ != nullptr) {
    if (!current_->is_doomed) GiveWay(*current_);
  } else if (!is_running_) {
    is_killing_ = true;
    Drive();
    is_killing_ = false;
  }
}

void World::KillAll() {
  CheckThread();
  CHECK(!is_running_) << "a world cannot end from within";
  for (WorldFiber* const fiber : fiber_of_id_) {
    if (fiber != nullptr) Doom(*fiber);
  }
  is_killing_ = true;
  Drive();
  is_killing_ = false;
  for (WorldFiber* const fiber : fiber_of_id_) {
    if (fiber != nullptr) Abandon(*fiber);
  }
  for (Event& event : event_slots_) Cancel(event.id);
}

void World::Doom(WorldFiber& fiber) {
  if (std::exchange(fiber.is_doomed, true)) return;
  if (fiber.state == WorldFiber::State::kRunning) return;  // Until it blocks.
  timers_.Remove(fiber);
  ready_.Remove(fiber);
  fiber.wake = Wake::kKilled;
  MakeReady(fiber);
}

// Others first; those that are being ended before all.
void World::GiveWay(WorldFiber& self) {
  self.wake = Wake::kUnblocked;
  MakeReady(self);
  LeaveCurrent(self);
}

// Raises FiberKilled where that can be done.
void World::Unwind(WorldFiber& self) {
  if (++self.unwindings > kUnwindingsMax) AbandonCurrent();
  if (std::uncaught_exceptions() == 0) {
    if (&self == caller_) throw WorldFailed(std::string(failure_.message()));
    throw FiberKilled();
  }
  // In a destructor that runs because of an exception. Let the others end; whoever it waits for may
  // be among them.
  GiveWay(self);
}

void World::InstallTerminateHandler() {
  static std::once_flag once;
  std::call_once(once, [] { terminate_as_before = std::set_terminate(&World::OnTerminate); });
}

// FiberKilled met a noexcept function, or left a destructor while another exception was in flight.
void World::OnTerminate() {
  World* const world = running_world_;
  if (world != nullptr && world->current_ != nullptr && world->current_->is_doomed) {
    world->AbandonCurrent();
  }
  if (terminate_as_before != nullptr) terminate_as_before();
  std::abort();
}

// One that does not run.
void World::Abandon(WorldFiber& fiber) {
  abandoned_.push_back(fiber.actor->name);
  if (fiber.context.has_value()) fiber.context->Abandon();
  End(fiber, "abandoned");
  fiber.context.reset();
  free_fibers_.push_back(&fiber);
}

void World::AbandonCurrent() {
  WorldFiber& self = *current_;
  CHECK(&self != caller_) << "the code around a world does not end although " << failure_.message();
  abandoned_.push_back(self.actor->name);
  self.context->Abandon();
  EndCurrent(self, "abandoned");
}

}  // namespace rollcall::fault
