// The one OS thread of a simulated world: fibers that block, events that happen at a time, and a
// clock that moves only when every fiber is durably blocked.
#ifndef ROLLCALL_FAULT_INJECTION_SCHEDULER_H_
#define ROLLCALL_FAULT_INJECTION_SCHEDULER_H_

#include <cstdint>
#include <string>

#include "absl/functional/any_invocable.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace rollcall::fault {

// A fiber, as the scheduler numbers them; 0 is none. Never used again in the same world.
using FiberId = uint64_t;

// An event that was put into the future; 0 is none.
using EventId = uint64_t;

// The interface that the simulated kernel and Env stand on. Belongs to one world and one OS thread.
class Scheduler {
 public:
  virtual ~Scheduler() = default;

  // --- Time ---
  virtual absl::Time Now() = 0;
  // Where Now() is kept, for those who ask often. Lives as long as the scheduler; do not write.
  virtual const absl::Time& clock() = 0;
  // Runs `work` outside every fiber once the clock reaches `when`, however many fibers are blocked.
  // Events of one time run in an order that the choices decide. `what` names the event in traces.
  virtual EventId At(absl::Time when, absl::string_view what, absl::AnyInvocable<void()> work) = 0;
  virtual void Cancel(EventId event) = 0;

  // --- Fibers ---
  // Makes a fiber that will run `body`; it belongs to the actor `actor` ("w3", "server/loop").
  virtual FiberId Spawn(std::string actor, absl::AnyInvocable<void()> body) = 0;
  // The fiber that is running; 0 outside every fiber.
  virtual FiberId current() = 0;
  // The actor of the running fiber; "world" outside every fiber.
  virtual const std::string& current_actor() = 0;
  // Blocks the running fiber until Unblock(it) or until `deadline`; false if the deadline came
  // first. An Unblock that comes before the Block is not remembered: there is one OS thread, so
  // test your condition and Block, with nothing in between. `waits_for` ("key /a from
  // server:29500") is shown when the world is stuck.
  virtual bool Block(absl::Time deadline, absl::string_view waits_for) = 0;
  // Makes a blocked fiber runnable; no effect on any other.
  virtual void Unblock(FiberId fiber) = 0;
  // Lets others run first, if the choices say so: called where a real thread could be pre-empted.
  virtual void Yield(absl::string_view site) = 0;
  // Whether it ever does; if not, it need not be called.
  virtual bool yields() const = 0;

  // --- Chance ---
  // A number in [0, n), from the world's one recorded stream, under the key (current actor, site,
  // how often that actor has been at that site). n >= 1; n == 1 is not recorded.
  virtual uint64_t Choose(absl::string_view site, uint64_t n) = 0;

  // --- The record ---
  // Adds a line to the trace and its content to the fingerprint.
  virtual void Trace(absl::string_view what) = 0;
};

}  // namespace rollcall::fault

#endif  // ROLLCALL_FAULT_INJECTION_SCHEDULER_H_
