// A world: everything that one simulated run is made of takes turns in it, on one OS thread and in
// virtual time, and every run of one seed is the same run.
#ifndef ROLLCALL_FAULT_INJECTION_WORLD_H_
#define ROLLCALL_FAULT_INJECTION_WORLD_H_

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "fault_injection/choice_record.h"
#include "fault_injection/choices.h"
#include "fault_injection/fiber.h"
#include "fault_injection/runnable.h"
#include "fault_injection/scheduler.h"
#include "fault_injection/trace.h"

namespace rollcall::fault {

enum class SchedulePolicy {
  kFifo,    // First come, first served. No choice is made or recorded for it, Yield does nothing.
  kRandom,  // Each time a fiber or event becomes ready it draws its place among those that are.
};

struct WorldOptions {
  uint64_t seed = 1;
  SchedulePolicy policy = SchedulePolicy::kRandom;
  // If set, the choices are these, and 0 where it says nothing; the seed is not used.
  std::optional<ChoiceRecord> replay;
  absl::Time start = absl::FromUnixSeconds(1'767'225'600);  // 2026-01-01, UTC.
  // A run that comes so far is a failure: something goes round for ever.
  absl::Duration time_max = absl::Hours(24);
  uint64_t steps_max = 20'000'000;  // Turns of fibers and events.
  TraceSink* trace = nullptr;       // Must outlive the world. Null: only the fingerprint is kept.
};

// How a fiber or a process ends before its time (Kill, the end of the world): a blocked call of it
// raises this, which is no std::exception, so that its frames are unwound and nothing leaks. Code
// under simulation must let it pass. A fiber that will not end (it is in a noexcept function, or
// catches everything and goes on) is abandoned: it never runs again, what it owns is lost, and
// World::abandoned() names it.
struct FiberKilled {};

// Raised, instead of FiberKilled, in the code that a CallerFiber made part of a world, when the run
// has failed; what() is what Run would have returned.
class WorldFailed : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// What a world sees of the mistakes of simulated code: a call from another OS thread, and one that
// blocks outside every fiber, end the process with a clear message; a fiber that raises an
// exception ends the run. What it cannot see, and what makes runs of one seed differ or hang: real
// system calls that block, sleep or read a clock, a std::mutex or atomic on which a fiber waits for
// another, addresses used as values or as keys that are iterated over, the order of a hash table
// (absl's differs from process to process, so ours are sorted before anybody sees it),
// std::random_device, thread_local state (all fibers share it), and loops that never block.
// RunTwiceAndCompare (determinism.h) shows most of them.
//
// Belongs to the OS thread that made it.
class World final : public Scheduler {
 public:
  explicit World(WorldOptions options = {});
  // As KillAll(). Everything that fibers use must still be there, or KillAll() called before.
  ~World() override;
  World(const World&) = delete;
  World& operator=(const World&) = delete;

  // --- Running; not from a fiber or an event ---
  // Runs until every fiber has ended that is not a daemon. Errors:
  //   FailedPrecondition  stuck: no fiber can run and nothing is left that could ever change that
  //   ResourceExhausted   time_max or steps_max
  //   Internal            a fiber raised an exception
  // The message shows every fiber and what it waits for. After an error nothing runs any more.
  absl::Status Run() { return RunUntil(absl::InfiniteFuture()); }
  // The same, but stops when the clock has reached `end` and nothing is left to do at that moment.
  // With a finite `end` a world that waits for its caller to change something is not stuck.
  absl::Status RunUntil(absl::Time end);

  // --- Fibers beyond the Scheduler's ---
  // A fiber that the run does not wait for, as are those that it spawns in its turn.
  FiberId SpawnDaemon(std::string actor, absl::AnyInvocable<void()> body);
  bool IsAlive(FiberId fiber) const;
  // The running fiber is to end: each Block that can will raise FiberKilled.
  bool is_being_killed() const;
  // Blocks the running fiber until `fiber` has ended. Never raises FiberKilled.
  void Join(FiberId fiber);
  enum class Wake { kUnblocked, kDeadline, kKilled };
  // Block for those who have something to put right before they may go: returns kKilled once
  // instead of raising FiberKilled (call Block to let go), and if the fiber is being killed
  // already, waits for Unblock or the deadline as ever.
  Wake BlockThroughKill(absl::Time deadline, absl::string_view waits_for);
  // Ends all fibers of a host: those whose actor is `host`, or begins with it and a '/'. They run
  // before all others, at this same moment, until they have ended, and have when Kill returns;
  // except when it is called from an event (they run next) or from a fiber of that host (which goes
  // on until it blocks).
  void Kill(absl::string_view host);
  // The host's fibers stand still, as under SIGSTOP: what they wait for may come, and deadlines may
  // pass, but none of them runs until Resume. Called from a fiber of that host, it returns after
  // Resume. Kill ends paused fibers too, and lifts the pause.
  void Pause(absl::string_view host);
  void Resume(absl::string_view host);
  // Ends every fiber and drops every event. Only outside Run.
  void KillAll();

  // --- What happened ---
  absl::Duration elapsed() const { return now_ - options_.start; }
  // Of everything that has happened: time, turns, choices, what was traced. Equal seeds, equal
  // fingerprints.
  uint64_t fingerprint() const { return fingerprint_; }
  ChoiceRecord choices() const { return choices_.record(); }
  uint64_t steps() const { return steps_; }
  // Every fiber, and what it waits for since when.
  std::string Picture() const;
  // The actors of the fibers that had to be abandoned.
  const std::vector<std::string>& abandoned() const { return abandoned_; }
  const WorldOptions& options() const { return options_; }

  // --- Scheduler ---
  absl::Time Now() override;
  const absl::Time& clock() override { return now_; }
  EventId At(absl::Time when, absl::string_view what, absl::AnyInvocable<void()> work) override;
  void Cancel(EventId event) override;
  FiberId Spawn(std::string actor, absl::AnyInvocable<void()> body) override;
  FiberId current() override;
  const std::string& current_actor() override;
  bool Block(absl::Time deadline, absl::string_view waits_for) override;
  void Unblock(FiberId fiber) override;
  void Yield(absl::string_view site) override;
  bool yields() const override { return options_.policy == SchedulePolicy::kRandom; }
  uint64_t Choose(absl::string_view site, uint64_t n) override;
  void Trace(absl::string_view what) override;

 private:
  friend class CallerFiber;
  struct Actor;
  struct WorldFiber;
  struct Event;

  // An address that no other OS thread has, which is cheaper to come by than a thread's id.
  static const void* ThisThread() { return &running_world_; }
  void CheckThread() const {
    if (ThisThread() != thread_) DieOnForeignThread();
  }
  [[noreturn]] static void DieOnForeignThread();
  Actor& ActorNamed(absl::string_view name);
  Actor& CurrentActor();
  void SetScheduleSite(Runnable& runnable, Actor& actor, absl::string_view site);
  template <typename MakeText>
  void Record(TraceKind kind, const Actor& actor, uint64_t content, MakeText make_text);
  void Fail(absl::Status failure);

  // Choosing and switching.
  Runnable* NextReady();
  void Dispatch(Runnable& next);
  void Enter(WorldFiber& fiber);
  void LeaveCurrent(WorldFiber& self);
  void RunEvent(Event& event);
  bool AdvanceClock(absl::Time end);
  void Drive();

  // For CallerFiber.
  void AttachCaller(std::string actor);
  void DetachCaller();
  static void HubMain(void* world);
  void RunHub();
  void CheckLimits();

  static bool IsOf(const WorldFiber* fiber, absl::string_view host);

  // The life of a fiber.
  FiberId AddFiber(std::string actor, bool is_daemon, absl::AnyInvocable<void()> body);
  WorldFiber& NewFiber(std::string actor, bool is_daemon);
  static void FiberMain(void* fiber);
  void RunBody(WorldFiber& self);
  void End(WorldFiber& fiber, absl::string_view how);
  [[noreturn]] void EndCurrent(WorldFiber& self, absl::string_view how);
  void Reap();
  void MakeReady(WorldFiber& fiber);
  Wake Suspend(WorldFiber& self, absl::Time deadline, absl::string_view waits_for);
  WorldFiber* Find(FiberId fiber) const;

  // Its death.
  void Doom(WorldFiber& fiber);
  void GiveWay(WorldFiber& self);
  void Unwind(WorldFiber& self);
  void Abandon(WorldFiber& fiber);
  [[noreturn]] void AbandonCurrent();
  static void InstallTerminateHandler();
  static void OnTerminate();

  // The one that has a fiber on this OS thread. (Constinit: no wrapper checks for a first use.)
  static inline constinit thread_local World* running_world_ = nullptr;

  const WorldOptions options_;
  const void* const thread_;
  Choices choices_;
  uint64_t fingerprint_;
  absl::Time now_;
  uint64_t steps_ = 0;
  absl::Status failure_;

  absl::flat_hash_map<uint64_t, Actor*> actor_of_;  // By hash of the name.
  std::deque<Actor> actors_;
  Actor& world_actor_;

  std::deque<WorldFiber> fiber_slots_;
  std::vector<WorldFiber*> free_fibers_;
  std::vector<WorldFiber*> fiber_of_id_;  // [id - 1]; null once ended.
  std::deque<Event> event_slots_;
  std::vector<Event*> free_events_;
  size_t workers_ = 0;  // Fibers that have not ended and are no daemons.
  std::vector<std::string> abandoned_;

  TimerQueue timers_;
  ReadyQueue ready_;
  std::deque<WorldFiber*> doomed_ready_;  // Fibers to be ended go before all others.

  bool is_running_ = false;
  bool is_killing_ = false;  // Outside Run: nothing but doomed fibers runs.
  WorldFiber* current_ = nullptr;
  Runnable* handed_over_ = nullptr;  // Chosen by a fiber, to be run from outside every fiber.
  WorldFiber* ended_ = nullptr;      // Whose stack was the last to run, and can be taken back.
  Fiber* outside_ = nullptr;         // The caller of Run, or hub_.
  WorldFiber* caller_ = nullptr;     // That of the CallerFiber.
  std::optional<Fiber> hub_;         // What Run does, while there is a CallerFiber.
};

// While it lives, the code around the world is one of its fibers: where that blocks, the world runs
// until it may go on. So a test's body can call what it tests, wait and start threads as it would
// in production.
class CallerFiber {
 public:
  // `world` must outlive it and must not be running. The same OS thread destroys it.
  CallerFiber(World* world, std::string actor) : world_(*world) {
    world_.AttachCaller(std::move(actor));
  }
  // Other fibers stop where they are; Run() or another CallerFiber lets them go on.
  ~CallerFiber() { world_.DetachCaller(); }
  CallerFiber(const CallerFiber&) = delete;
  CallerFiber& operator=(const CallerFiber&) = delete;

 private:
  World& world_;
};

}  // namespace rollcall::fault

#endif  // ROLLCALL_FAULT_INJECTION_WORLD_H_
