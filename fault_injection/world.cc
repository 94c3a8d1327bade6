#include "fault_injection/world.h"

#include <algorithm>
#include <cstdlib>
#include <utility>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/str_cat.h"
#include "fault_injection/stable_hash.h"
#include "fault_injection/world_parts.h"
#include "glog/logging.h"

namespace rollcall::fault {
namespace {

// Rather than always or never: a place where a thread may be pre-empted is one where it seldom is.
constexpr uint64_t kYieldOdds = 4;

Choices::Options ChoicesFor(const WorldOptions& options) {
  if (options.replay.has_value()) return {.seed = std::nullopt, .replay = *options.replay};
  return {.seed = options.seed, .replay = {}};
}

}  // namespace

World::World(WorldOptions options)
    : options_(std::move(options)),
      thread_(ThisThread()),
      choices_(ChoicesFor(options_)),
      fingerprint_(0),
      now_(options_.start),
      world_actor_(ActorNamed("world")),
      ready_(options_.policy == SchedulePolicy::kRandom ? &choices_ : nullptr) {
  InstallTerminateHandler();
}

World::~World() { KillAll(); }

void World::DieOnForeignThread() {
  LOG(FATAL)
      << "a simulated world was called from an OS thread that is not its own: simulated code "
         "must start its threads with Env::StartThread";
  std::abort();
}

World::Actor& World::ActorNamed(absl::string_view name) {
  Actor*& found = actor_of_[HashBytes(name)];
  if (found == nullptr) found = &actors_.emplace_back(std::string(name.data(), name.size()));
  return *found;
}

World::Actor& World::CurrentActor() {
  return current_ == nullptr ? world_actor_ : *current_->actor;
}

// --- Time and events ---

absl::Time World::Now() {
  CheckThread();
  return now_;
}

EventId World::At(absl::Time when, absl::string_view what, absl::AnyInvocable<void()> work) {
  CheckThread();
  if (free_events_.empty()) {
    Event& added = event_slots_.emplace_back();
    added.slot = static_cast<uint32_t>(event_slots_.size());
    free_events_.push_back(&added);
  }
  Event& event = *free_events_.back();
  free_events_.pop_back();
  event.id = (static_cast<EventId>(++event.generation) << 32) | event.slot;
  event.what_hash = HashBytes(what);
  if (options_.trace != nullptr) event.what.assign(what.data(), what.size());
  event.work = std::move(work);
  Actor& actor = CurrentActor();
  if (ready_.draws_places()) {
    if (actor.event_site == nullptr) actor.event_site = &choices_.SiteOf(actor, "event");
    event.schedule_site = actor.event_site;
    event.turn = ++actor.event_turns;
  }
  if (when <= now_) {
    ready_.Push(event);
  } else {
    timers_.Push(event, when);
  }
  return event.id;
}

void World::Cancel(EventId id) {
  CheckThread();
  const uint32_t slot = static_cast<uint32_t>(id);
  if (slot == 0 || slot > event_slots_.size()) return;
  Event& event = event_slots_[slot - 1];
  if (event.id != id) return;
  timers_.Remove(event);
  ready_.Remove(event);
  event.id = 0;
  free_events_.push_back(&event);
  // Last: what it owns may call back as it goes.
  const absl::AnyInvocable<void()> work = std::move(event.work);
}

void World::RunEvent(Event& event) {
  Record(TraceKind::kEvent, world_actor_, event.what_hash, [&] { return event.what; });
  event.id = 0;
  // Where it is: the slot is free once what it owns is gone, too, which may call back as it goes.
  event.work();
  event.work = nullptr;
  free_events_.push_back(&event);
}

bool World::AdvanceClock(absl::Time end) {
  const absl::Time next = timers_.empty() ? absl::InfiniteFuture() : timers_.earliest();
  if (next > end) {
    now_ = std::max(now_, end);
    return false;
  }
  if (next == absl::InfiniteFuture()) {
    Fail(absl::FailedPreconditionError("is stuck: nothing can run, and no timer or event is left"));
    return false;
  }
  if (next - options_.start > options_.time_max) {
    Fail(absl::ResourceExhaustedError(
        absl::StrCat("has gone on for longer than ", absl::FormatDuration(options_.time_max))));
    return false;
  }
  now_ = next;
  fingerprint_ = HashCombine(fingerprint_, static_cast<uint64_t>(absl::ToUnixNanos(now_)));
  while (!timers_.empty() && timers_.earliest() == now_) {
    Runnable& due = timers_.PopEarliest();
    if (due.is_fiber) {
      auto& fiber = static_cast<WorldFiber&>(due);
      fiber.wake = Wake::kDeadline;
      MakeReady(fiber);
    } else {
      ready_.Push(due);
    }
  }
  return true;
}

// --- Running ---

absl::Status World::RunUntil(absl::Time end) {
  CheckThread();
  CHECK(!is_running_ && outside_ == nullptr) << "a world runs already";
  is_running_ = true;
  const auto not_running = absl::MakeCleanup([this] { is_running_ = false; });
  do {
    Drive();
    CheckLimits();
  } while (failure_.ok() && workers_ > 0 && AdvanceClock(end));
  return failure_;
}

void World::CheckLimits() {
  if (workers_ == 0 || steps_ < options_.steps_max) return;
  Fail(absl::ResourceExhaustedError(
      absl::StrCat("has taken more than ", options_.steps_max, " steps")));
}

// Runs all that can be run at this moment.
void World::Drive() {
  Fiber outside;
  outside_ = &outside;
  World* const around = std::exchange(running_world_, this);
  const auto gone = absl::MakeCleanup([this, around] {
    outside_ = nullptr;
    running_world_ = around;
  });
  for (;;) {
    Runnable* next = std::exchange(handed_over_, nullptr);
    if (next == nullptr) next = NextReady();
    if (next == nullptr) return;
    Dispatch(*next);
    Reap();
  }
}

Runnable* World::NextReady() {
  if (!doomed_ready_.empty()) {
    WorldFiber* const doomed = doomed_ready_.front();
    doomed_ready_.pop_front();
    return doomed;
  }
  if (is_killing_ || workers_ == 0 || !failure_.ok() || steps_ >= options_.steps_max) {
    return nullptr;
  }
  Runnable* const next = ready_.Pop();
  if (next != nullptr) ++steps_;
  return next;
}

// Outside every fiber.
void World::Dispatch(Runnable& next) {
  if (!next.is_fiber) return RunEvent(static_cast<Event&>(next));
  auto& fiber = static_cast<WorldFiber&>(next);
  Enter(fiber);
  Fiber::Switch(*outside_, *fiber.context);
}

// The switch to it follows.
void World::Enter(WorldFiber& fiber) {
  if (!fiber.context.has_value()) fiber.context.emplace(&World::FiberMain, &fiber);
  current_ = &fiber;
  fiber.state = WorldFiber::State::kRunning;
  Record(TraceKind::kRun, *fiber.actor, fiber.id, [&]() -> std::string {
    switch (fiber.wake) {
      case Wake::kUnblocked:
        return "";
      case Wake::kDeadline:
        return "deadline";
      case Wake::kKilled:
        return "killed";
    }
    return "";
  });
}

// Lets others run until it is this fiber's turn again.
void World::LeaveCurrent(WorldFiber& self) {
  Runnable* const next = NextReady();
  if (next == &self) return Enter(self);
  if (next != nullptr && next->is_fiber) {
    auto& fiber = static_cast<WorldFiber&>(*next);
    Enter(fiber);
    Fiber::Switch(*self.context, *fiber.context);
  } else {
    handed_over_ = next;
    current_ = nullptr;
    Fiber::Switch(*self.context, *outside_);
  }
  Reap();
}

void World::Fail(absl::Status failure) {
  if (!failure_.ok()) return;
  failure_ = absl::Status(failure.code(), absl::StrCat("the world ", failure.message(), " (at +",
                                                       absl::FormatDuration(elapsed()), ", seed ",
                                                       options_.seed, ")\n", Picture()));
}

// --- Chance and the record ---

uint64_t World::Choose(absl::string_view site_name, uint64_t n) {
  CheckThread();
  Actor& actor = CurrentActor();
  // What a fiber does while it is being ended is nobody's business.
  if (current_ != nullptr && current_->is_doomed) return 0;
  const Choices::Drawn drawn = choices_.Next(choices_.SiteOf(actor, site_name), n);
  if (n == 1) return 0;
  Record(TraceKind::kChoice, actor, HashCombine(drawn.key_hash, drawn.value),
         [&] { return absl::StrCat(site_name, " ", drawn.value, " of ", n); });
  return drawn.value;
}

void World::Trace(absl::string_view what) {
  CheckThread();
  if (current_ != nullptr && current_->is_doomed) return;
  Record(TraceKind::kNote, CurrentActor(), HashBytes(what),
         [&] { return std::string(what.data(), what.size()); });
}

void World::Yield(absl::string_view site) {
  CheckThread();
  if (current_ == nullptr || current_->is_doomed || ready_.empty() ||
      options_.policy == SchedulePolicy::kFifo) {
    return;
  }
  if (Choose(site, kYieldOdds) != 1) return;
  GiveWay(*current_);
}

std::string World::Picture() const {
  constexpr size_t kFibersShownMax = 100;
  std::string picture;
  size_t alive = 0;
  for (const WorldFiber* const fiber : fiber_of_id_) {
    if (fiber == nullptr || ++alive > kFibersShownMax) continue;
    absl::StrAppend(&picture, "  ", fiber->actor->name, fiber->is_daemon ? " (daemon)" : "", ": ");
    if (fiber->state == WorldFiber::State::kBlocked) {
      absl::StrAppend(&picture, "waits for ", fiber->waits_for, " since +",
                      absl::FormatDuration(fiber->blocked_since - options_.start));
      if (fiber->deadline != absl::InfiniteFuture()) {
        absl::StrAppend(&picture, ", until +",
                        absl::FormatDuration(fiber->deadline - options_.start));
      }
    } else {
      picture += fiber->state == WorldFiber::State::kReady ? "can run" : "runs";
    }
    picture += fiber->is_paused ? ", but is paused\n" : "\n";
  }
  if (alive > kFibersShownMax) {
    absl::StrAppend(&picture, "  and ", alive - kFibersShownMax, " more\n");
  }
  return picture;
}

}  // namespace rollcall::fault
