#include "fault_injection/runnable.h"

#include <algorithm>
#include <utility>

namespace rollcall::fault {
namespace {

// Enough that two seldom draw the same; few enough to be read in a record.
constexpr uint64_t kPlaces = 1024;

}  // namespace

bool TimerHeap::Before(const Runnable& a, const Runnable& b) const {
  return a.when != b.when ? a.when < b.when : a.timer_order < b.timer_order;
}

void TimerHeap::Place(Runnable* runnable, size_t index) {
  heap_[index] = runnable;
  runnable->timer_index = index;
}

void TimerHeap::SiftUp(size_t index) {
  Runnable* const moved = heap_[index];
  while (index > 0) {
    const size_t parent = (index - 1) / 2;
    if (!Before(*moved, *heap_[parent])) break;
    Place(heap_[parent], index);
    index = parent;
  }
  Place(moved, index);
}

void TimerHeap::SiftDown(size_t index) {
  Runnable* const moved = heap_[index];
  for (;;) {
    size_t child = 2 * index + 1;
    if (child >= heap_.size()) break;
    if (child + 1 < heap_.size() && Before(*heap_[child + 1], *heap_[child])) ++child;
    if (!Before(*heap_[child], *moved)) break;
    Place(heap_[child], index);
    index = child;
  }
  Place(moved, index);
}

void TimerHeap::Push(Runnable& runnable, absl::Time when) {
  runnable.when = when;
  runnable.timer_order = next_order_++;
  heap_.push_back(&runnable);
  SiftUp(heap_.size() - 1);
}

Runnable& TimerHeap::PopEarliest() {
  Runnable& first = *heap_.front();
  Remove(first);
  return first;
}

void TimerHeap::Remove(Runnable& runnable) {
  const size_t index = std::exchange(runnable.timer_index, Runnable::kNotTimed);
  if (index == Runnable::kNotTimed) return;
  Runnable* const last = heap_.back();
  heap_.pop_back();
  if (last == &runnable) return;
  Place(last, index);
  SiftUp(index);
  SiftDown(last->timer_index);
}

void ReadyQueue::PushPlaced(Runnable& runnable) {
  uint64_t place = 0;
  if (choices_ != nullptr) {
    place = choices_->At(*runnable.schedule_site, runnable.turn, kPlaces).value;
  }
  heap_.push_back({place, runnable.ready_stamp, &runnable});
  std::push_heap(heap_.begin(), heap_.end(), After);
}

void ReadyQueue::Push(Runnable& runnable) {
  runnable.ready_stamp = next_stamp_++;
  if (size_++ == 0) {
    heap_.clear();
    alone_ = &runnable;
    return;
  }
  if (alone_ != nullptr) PushPlaced(*std::exchange(alone_, nullptr));
  PushPlaced(runnable);
}

Runnable* ReadyQueue::Pop() {
  if (size_ == 0) return nullptr;
  Runnable* next = std::exchange(alone_, nullptr);
  while (next == nullptr) {
    std::pop_heap(heap_.begin(), heap_.end(), After);
    const Entry entry = heap_.back();
    heap_.pop_back();
    if (entry.runnable->ready_stamp == entry.stamp) next = entry.runnable;
  }
  next->ready_stamp = 0;
  --size_;
  return next;
}

void ReadyQueue::Remove(Runnable& runnable) {
  if (std::exchange(runnable.ready_stamp, 0) == 0) return;
  if (alone_ == &runnable) alone_ = nullptr;
  --size_;
}

}  // namespace rollcall::fault
