#include "net/post_queue.h"

#include <cstddef>
#include <iterator>
#include <utility>

#include "glog/logging.h"

namespace rollcall::net {

bool PostQueue::Post(absl::AnyInvocable<void()> work) {
  CHECK(work) << "posted work is empty";
  std::lock_guard<std::mutex> lock(mutex_);
  return Push(std::move(work));
}

bool PostQueue::PostStop() {
  std::lock_guard<std::mutex> lock(mutex_);
  if (stop_posted_) return false;
  stop_posted_ = true;
  return Push(nullptr);
}

bool PostQueue::Push(absl::AnyInvocable<void()> work) {
  posted_.push_back(std::move(work));
  return std::exchange(asleep_, false);
}

bool PostQueue::PrepareToSleep() {
  std::lock_guard<std::mutex> lock(mutex_);
  asleep_ = posted_.empty();
  return asleep_;
}

void PostQueue::Awake() {
  std::lock_guard<std::mutex> lock(mutex_);
  asleep_ = false;
}

bool PostQueue::RunPosted() {
  {
    std::lock_guard<std::mutex> lock(mutex_);
    if (posted_.empty()) return true;
    running_.swap(posted_);
  }
  bool stopped = false;
  for (size_t i = 0; i < running_.size() && !stopped; ++i) {
    if (running_[i]) {
      // It is destroyed as soon as it has run, not when the last of the batch has.
      absl::AnyInvocable<void()> work = std::move(running_[i]);
      work();
      continue;
    }
    std::lock_guard<std::mutex> lock(mutex_);
    stopped = true;
    stop_posted_ = false;
    posted_.insert(posted_.begin(), std::make_move_iterator(running_.begin() + i + 1),
                   std::make_move_iterator(running_.end()));
  }
  running_.clear();
  return !stopped;
}

void PostQueue::Clear() {
  std::vector<absl::AnyInvocable<void()>> doomed;
  do {
    doomed.clear();
    std::lock_guard<std::mutex> lock(mutex_);
    doomed.swap(posted_);
    stop_posted_ = false;
  } while (!doomed.empty());
}

}  // namespace rollcall::net
