// What a world may run next: a fiber or an event. Two containers hold them by a link inside.
#ifndef ROLLCALL_FAULT_INJECTION_RUNNABLE_H_
#define ROLLCALL_FAULT_INJECTION_RUNNABLE_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "absl/time/time.h"
#include "fault_injection/choices.h"

namespace rollcall::fault {

struct Runnable {
  explicit Runnable(bool fiber) : is_fiber(fiber) {}

  const bool is_fiber;
  // Under which choice its place among those that are ready is drawn.
  Choices::Site* schedule_site = nullptr;
  uint64_t turn = 0;

  // The containers' own.
  absl::Time when;
  uint64_t timer_order = 0;
  size_t timer_index = kNotTimed;
  uint64_t ready_stamp = 0;  // 0: not ready.

  static constexpr size_t kNotTimed = static_cast<size_t>(-1);
};

// Those that are due later: the earliest first, and of one time the one that was put in first.
class TimerHeap {
 public:
  bool empty() const { return heap_.empty(); }
  absl::Time earliest() const { return heap_.front()->when; }
  void Push(Runnable& runnable, absl::Time when);
  Runnable& PopEarliest();
  // No effect if it is not in it.
  void Remove(Runnable& runnable);

 private:
  bool Before(const Runnable& a, const Runnable& b) const;
  void Place(Runnable* runnable, size_t index);
  void SiftUp(size_t index);
  void SiftDown(size_t index);

  std::vector<Runnable*> heap_;
  uint64_t next_order_ = 1;
};

// Those that can run now. With `choices`, each gets a random place when there is somebody to be
// before or behind; else, and where the choices say 0, first come, first served.
class ReadyQueue {
 public:
  // Null: first come, first served.
  explicit ReadyQueue(Choices* choices) : choices_(choices) {}

  void Push(Runnable& runnable);
  // Null if empty.
  Runnable* Pop();
  // No effect if it is not in it.
  void Remove(Runnable& runnable);
  bool empty() const { return size_ == 0; }

 private:
  struct Entry {
    uint64_t place;  // 0 is first.
    uint64_t stamp;  // Not the runnable's: it has been removed.
    Runnable* runnable;
  };
  // For a heap with the smallest at the front.
  static bool After(const Entry& a, const Entry& b) {
    return a.place != b.place ? a.place > b.place : a.stamp > b.stamp;
  }
  void PushPlaced(Runnable& runnable);

  Choices* const choices_;
  Runnable* alone_ = nullptr;  // Then the heap has no live entry, and no place needs to be drawn.
  std::vector<Entry> heap_;
  size_t size_ = 0;
  uint64_t next_stamp_ = 1;
};

}  // namespace rollcall::fault

#endif  // ROLLCALL_FAULT_INJECTION_RUNNABLE_H_
