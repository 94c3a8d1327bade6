// The parts of a World that its own files share.
#ifndef ROLLCALL_FAULT_INJECTION_WORLD_PARTS_H_
#define ROLLCALL_FAULT_INJECTION_WORLD_PARTS_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "fault_injection/choices.h"
#include "fault_injection/fiber.h"
#include "fault_injection/runnable.h"
#include "fault_injection/stable_hash.h"
#include "fault_injection/world.h"

namespace rollcall::fault {

struct World::Actor : Choices::Actor {
  using Choices::Actor::Actor;
  uint64_t fiber_turns = 0;
  uint64_t event_turns = 0;
  Choices::Site* fiber_site = nullptr;
  Choices::Site* event_site = nullptr;
};

struct World::WorldFiber : Runnable {
  explicit WorldFiber(World& its_world) : Runnable(/*fiber=*/true), world(its_world) {}

  enum class State { kEnded, kReady, kRunning, kBlocked };

  World& world;
  FiberId id = 0;
  Actor* actor = nullptr;
  absl::AnyInvocable<void()> body;
  std::optional<Fiber> context;  // From its first turn on.
  State state = State::kEnded;
  bool is_daemon = false;
  bool is_doomed = false;
  bool is_paused = false;  // Ready, it is in no queue.
  int unwindings = 0;
  Wake wake = Wake::kUnblocked;
  absl::string_view waits_for;  // While it is blocked: its own frames hold the text.
  absl::Time blocked_since;
  absl::Time deadline;
  std::vector<FiberId> joiners;
};

struct World::Event : Runnable {
  Event() : Runnable(/*fiber=*/false) {}

  EventId id = 0;  // Slot and generation; 0: free.
  uint32_t slot = 0;
  uint32_t generation = 0;
  uint64_t what_hash = 0;
  std::string what;  // Only for a trace.
  absl::AnyInvocable<void()> work;
};

template <typename MakeText>
void World::Record(TraceKind kind, const Actor& actor, uint64_t content, MakeText make_text) {
  fingerprint_ = HashCombine(fingerprint_ + static_cast<uint64_t>(kind), actor.hash ^ content);
  if (options_.trace == nullptr) return;
  const std::string text = make_text();
  options_.trace->OnEvent({elapsed(), actor.name, kind, text});
}

}  // namespace rollcall::fault

#endif  // ROLLCALL_FAULT_INJECTION_WORLD_PARTS_H_
