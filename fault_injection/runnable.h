// What a world may run next: a fiber or an event. Two containers hold them by a link inside.
#ifndef ROLLCALL_FAULT_INJECTION_RUNNABLE_H_
#define ROLLCALL_FAULT_INJECTION_RUNNABLE_H_

#include <array>
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
  uint8_t timer_line = 0;  // Of a line; the heap comes after the last of them.
  size_t timer_index = kNotTimed;
  uint64_t ready_stamp = 0;  // 0: not ready.
  Runnable* previous_ready = nullptr;
  Runnable* next_ready = nullptr;

  static constexpr size_t kNotTimed = static_cast<size_t>(-1);
};

// Those that are due later: the earliest first, and of one time the one that was put in first.
//
// Most are put in for the latest time so far (a latency, a time-out from now), and most time-outs
// are taken out again. So they stand in a few lines, each in the order of its times, and only what
// fits into none goes into a heap.
class TimerQueue {
 public:
  bool empty() const { return size_ == 0; }
  // Not while it is empty.
  absl::Time earliest() { return Earliest()->when; }
  void Push(Runnable& runnable, absl::Time when);
  Runnable& PopEarliest();
  // No effect if it is not in it.
  void Remove(Runnable& runnable);

 private:
  static constexpr size_t kLines = 4;

  // First in, first out; null where one was taken out, but not at either end.
  class Line {
   public:
    bool empty() const { return first_ == entries_.size(); }
    Runnable* first() const { return entries_[first_]; }
    Runnable* last() const { return entries_.back(); }
    // Keep timer_index.
    void Push(Runnable* runnable) {
      if (entries_.size() > 2 * live_ + kGapsMin) CloseGaps();
      runnable->timer_index = entries_.size();
      entries_.push_back(runnable);
      ++live_;
    }
    void Remove(size_t index) {
      if (--live_ == 0) {
        entries_.clear();
        first_ = 0;
        return;
      }
      entries_[index] = nullptr;
      while (entries_[first_] == nullptr) ++first_;
      while (entries_.back() == nullptr) entries_.pop_back();
    }

   private:
    // So many places that nobody holds any more are worth no tidying.
    static constexpr size_t kGapsMin = 32;

    void CloseGaps();

    std::vector<Runnable*> entries_;  // From first_ on.
    size_t first_ = 0;
    size_t live_ = 0;  // Those that are not null.
  };

  static bool Before(const Runnable& a, const Runnable& b);
  Runnable* Earliest();
  void PushIntoHeap(Runnable& runnable);
  void RemoveFromHeap(size_t index);
  void Place(Runnable* runnable, size_t index);
  void SiftUp(size_t index);
  void SiftDown(size_t index);

  std::array<Line, kLines> lines_;
  std::vector<Runnable*> heap_;
  Runnable* earliest_ = nullptr;  // Null: not known.
  size_t size_ = 0;
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
  // If so, what is pushed needs its schedule_site and turn.
  bool draws_places() const { return choices_ != nullptr; }

 private:
  // Place and stamp in one number, so that one comparison tells who is first. The stamp is not the
  // runnable's if that has been removed.
  struct Entry {
    uint64_t key;
    Runnable* runnable;
  };
  struct IsLater {
    bool operator()(const Entry& a, const Entry& b) const { return a.key > b.key; }
  };

  void Append(Runnable& runnable);
  void Unlink(Runnable& runnable);
  void PushPlaced(Runnable& runnable);
  Runnable& PopPlaced();

  Choices* const choices_;
  size_t size_ = 0;
  // Without choices: a list.
  Runnable* first_ = nullptr;
  Runnable* last_ = nullptr;
  // With choices: a heap with the first at the front, or one that is alone. Then no entry is live,
  // and no place needs to be drawn.
  std::vector<Entry> heap_;
  Runnable* alone_ = nullptr;
  uint64_t next_stamp_ = 1;
};

}  // namespace rollcall::fault

#endif  // ROLLCALL_FAULT_INJECTION_RUNNABLE_H_
