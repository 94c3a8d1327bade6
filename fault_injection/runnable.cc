#include "fault_injection/runnable.h"

#include <algorithm>
#include <utility>

namespace rollcall::fault {
namespace {

// Enough that two seldom draw the same; few enough to be read in a record.
constexpr uint64_t kPlaces = 1024;
// A place and a stamp share 64 bits.
constexpr int kStampBits = 54;
constexpr uint64_t kStampMask = (uint64_t{1} << kStampBits) - 1;
static_assert(kPlaces <= uint64_t{1} << (64 - kStampBits));

}  // namespace

bool TimerQueue::Before(const Runnable& a, const Runnable& b) {
  return a.when != b.when ? a.when < b.when : a.timer_order < b.timer_order;
}

// --- A line ---

void TimerQueue::Line::CloseGaps() {
  size_t kept = 0;
  for (size_t i = first_; i < entries_.size(); ++i) {
    if (entries_[i] == nullptr) continue;
    entries_[i]->timer_index = kept;
    entries_[kept++] = entries_[i];
  }
  entries_.resize(kept);
  first_ = 0;
}

// --- The heap ---

void TimerQueue::Place(Runnable* runnable, size_t index) {
  heap_[index] = runnable;
  runnable->timer_index = index;
}

void TimerQueue::SiftUp(size_t index) {
  Runnable* const moved = heap_[index];
  while (index > 0) {
    const size_t parent = (index - 1) / 2;
    if (!Before(*moved, *heap_[parent])) break;
    Place(heap_[parent], index);
    index = parent;
  }
  Place(moved, index);
}

void TimerQueue::SiftDown(size_t index) {
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

void TimerQueue::PushIntoHeap(Runnable& runnable) {
  runnable.timer_line = kLines;
  heap_.push_back(&runnable);
  SiftUp(heap_.size() - 1);
}

void TimerQueue::RemoveFromHeap(size_t index) {
  Runnable* const removed = heap_[index];
  Runnable* const last = heap_.back();
  heap_.pop_back();
  if (last == removed) return;
  Place(last, index);
  SiftUp(index);
  SiftDown(last->timer_index);
}

// --- Both ---

void TimerQueue::Push(Runnable& runnable, absl::Time when) {
  runnable.when = when;
  runnable.timer_order = next_order_++;
  if (size_++ == 0 || (earliest_ != nullptr && when < earliest_->when)) earliest_ = &runnable;
  // Events and fibers wait for different lengths of time.
  for (size_t i = runnable.is_fiber ? 0 : kLines / 2, end = i + kLines / 2; i < end; ++i) {
    Line& line = lines_[i];
    if (!line.empty() && when < line.last()->when) continue;
    runnable.timer_line = static_cast<uint8_t>(i);
    line.Push(&runnable);
    return;
  }
  PushIntoHeap(runnable);
}

Runnable* TimerQueue::Earliest() {
  if (earliest_ != nullptr) return earliest_;
  if (!heap_.empty()) earliest_ = heap_.front();
  for (const Line& line : lines_) {
    if (line.empty()) continue;
    if (earliest_ == nullptr || Before(*line.first(), *earliest_)) earliest_ = line.first();
  }
  return earliest_;
}

Runnable& TimerQueue::PopEarliest() {
  Runnable& first = *Earliest();
  Remove(first);
  return first;
}

void TimerQueue::Remove(Runnable& runnable) {
  const size_t index = std::exchange(runnable.timer_index, Runnable::kNotTimed);
  if (index == Runnable::kNotTimed) return;
  --size_;
  if (earliest_ == &runnable) earliest_ = nullptr;
  if (runnable.timer_line < kLines) {
    lines_[runnable.timer_line].Remove(index);
  } else {
    RemoveFromHeap(index);
  }
}

// --- What is ready ---

void ReadyQueue::Append(Runnable& runnable) {
  runnable.previous_ready = last_;
  runnable.next_ready = nullptr;
  (last_ == nullptr ? first_ : last_->next_ready) = &runnable;
  last_ = &runnable;
}

void ReadyQueue::Unlink(Runnable& runnable) {
  Runnable* const previous = runnable.previous_ready;
  Runnable* const next = runnable.next_ready;
  (previous == nullptr ? first_ : previous->next_ready) = next;
  (next == nullptr ? last_ : next->previous_ready) = previous;
}

void ReadyQueue::PushPlaced(Runnable& runnable) {
  const uint64_t place = choices_->At(*runnable.schedule_site, runnable.turn, kPlaces).value;
  heap_.push_back({place << kStampBits | runnable.ready_stamp, &runnable});
  std::push_heap(heap_.begin(), heap_.end(), IsLater());
}

void ReadyQueue::Push(Runnable& runnable) {
  runnable.ready_stamp = next_stamp_++;
  const bool is_first = size_++ == 0;
  if (choices_ == nullptr) return Append(runnable);
  if (is_first) {
    heap_.clear();
    alone_ = &runnable;
    return;
  }
  if (alone_ != nullptr) PushPlaced(*std::exchange(alone_, nullptr));
  PushPlaced(runnable);
}

Runnable& ReadyQueue::PopPlaced() {
  for (;;) {
    std::pop_heap(heap_.begin(), heap_.end(), IsLater());
    const Entry entry = heap_.back();
    heap_.pop_back();
    if (entry.runnable->ready_stamp == (entry.key & kStampMask)) return *entry.runnable;
  }
}

Runnable* ReadyQueue::Pop() {
  if (size_ == 0) return nullptr;
  --size_;
  Runnable* next = first_;
  if (choices_ == nullptr) {
    Unlink(*next);
  } else {
    next = std::exchange(alone_, nullptr);
    if (next == nullptr) next = &PopPlaced();
  }
  next->ready_stamp = 0;
  return next;
}

void ReadyQueue::Remove(Runnable& runnable) {
  if (std::exchange(runnable.ready_stamp, 0) == 0) return;
  --size_;
  if (choices_ == nullptr) return Unlink(runnable);
  if (alone_ == &runnable) alone_ = nullptr;
}

}  // namespace rollcall::fault
