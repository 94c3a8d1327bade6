#include "net/timer_queue.h"

namespace rollcall::net {

TimerId TimerQueue::Add(absl::Time when, absl::AnyInvocable<void()> work) {
  const TimerId timer = ++last_id_;
  pending_.emplace(Key(when, timer), std::move(work));
  times_.emplace(timer, when);
  return timer;
}

void TimerQueue::Cancel(TimerId timer) {
  auto time = times_.find(timer);
  if (time == times_.end()) return;
  auto entry = pending_.find(Key(time->second, timer));
  // The work's destructor may come back into this queue, so it runs when both tables are in order.
  const absl::AnyInvocable<void()> work = std::move(entry->second);
  pending_.erase(entry);
  times_.erase(time);
}

void TimerQueue::RunDue(absl::Time now) {
  const TimerId newest = last_id_;
  auto next = pending_.begin();
  while (next != pending_.end() && next->first.first <= now) {
    const Key key = next->first;
    if (key.second <= newest) {
      absl::AnyInvocable<void()> work = std::move(next->second);
      pending_.erase(next);
      times_.erase(key.second);
      work();
    }
    next = pending_.upper_bound(key);
  }
}

absl::Time TimerQueue::NextDeadline() const {
  return pending_.empty() ? absl::InfiniteFuture() : pending_.begin()->first.first;
}

void TimerQueue::Clear() {
  while (!times_.empty()) Cancel(times_.begin()->first);
}

}  // namespace rollcall::net
