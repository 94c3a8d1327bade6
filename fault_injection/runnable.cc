#include "fault_injection/runnable.h"

#include <algorithm>
#include <utility>

namespace rollcall::fault {
namespace {

// Enough that two seldom draw the same; few enough to be read in a record.
constexpr uint64_t kPlaces = 1024;

// So many places that nobody holds any more are worth no tidying.
constexpr size_t kGapsMin = 32;

}  // namespace

bool TimerQueue::Before(const Runnable& a, const Runnable& b) {
  return a.when != b.when ? a.when < b.when : a.timer_order < b.timer_order;
}

// --- A line ---

void TimerQueue::Line::Push(Runnable* runnable) {
  if (entries_.size() > 2 * live_ + kGapsMin) CloseGaps();
  runnable->timer_index = entries_.size();
  entries_.push_back(runnable);
  ++live_;
}

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

void TimerQueue::Line::Remove(size_t index) {
  entries_[index] = nullptr;
  --live_;
  while (!empty() && entries_[first_] == nullptr) ++first_;
  while (!empty() && entries_.back() == nullptr) entries_.pop_back();
  if (empty()) {
    entries_.clear();
    first_ = 0;
  }
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
  for (size_t i = 0; i < kLines; ++i) {
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

void ReadyQueue::PushPlaced(Runnable& runnable) {
  if (choices_ == nullptr) {
    if (first_ > kGapsMin && 2 * first_ > entries_.size()) {
      entries_.erase(entries_.begin(), entries_.begin() + static_cast<std::ptrdiff_t>(first_));
      first_ = 0;
    }
    entries_.push_back({0, runnable.ready_stamp, &runnable});
    return;
  }
  const uint64_t place = choices_->At(*runnable.schedule_site, runnable.turn, kPlaces).value;
  entries_.push_back({place, runnable.ready_stamp, &runnable});
  std::push_heap(entries_.begin(), entries_.end(), After);
}

void ReadyQueue::Push(Runnable& runnable) {
  runnable.ready_stamp = next_stamp_++;
  if (size_++ == 0) {
    entries_.clear();
    first_ = 0;
    alone_ = &runnable;
    return;
  }
  if (alone_ != nullptr) PushPlaced(*std::exchange(alone_, nullptr));
  PushPlaced(runnable);
}

ReadyQueue::Entry ReadyQueue::PopEntry() {
  if (choices_ == nullptr) return entries_[first_++];
  std::pop_heap(entries_.begin(), entries_.end(), After);
  const Entry entry = entries_.back();
  entries_.pop_back();
  return entry;
}

Runnable* ReadyQueue::Pop() {
  if (size_ == 0) return nullptr;
  Runnable* next = std::exchange(alone_, nullptr);
  while (next == nullptr) {
    const Entry entry = PopEntry();
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
