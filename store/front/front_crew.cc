#include "store/front/front_crew.h"

#include <algorithm>
#include <utility>

#include "glog/logging.h"

namespace rollcall::front {

// A thread, and where it waits to be called: each in a place of its own, so that one task does not
// wake all.
struct FrontCrew::Member {
  explicit Member(net::Env& env) : monitor(env.NewMonitor()) {}

  void Call() {
    net::MonitorLock lock(monitor.get());
    is_called = true;
    monitor->NotifyAll();
  }
  void AwaitCall() {
    net::MonitorLock lock(monitor.get());
    while (!is_called) monitor->WaitUntil(absl::InfiniteFuture());
    is_called = false;
  }

  const std::unique_ptr<net::Monitor> monitor;
  bool is_called ABSL_GUARDED_BY(*monitor) = false;
  std::unique_ptr<net::Thread> thread;  // Last: it uses the others.
};

FrontCrew::FrontCrew(net::Env& env, size_t threads_max)
    : env_(env),
      threads_max_(std::max<size_t>(threads_max, 1)),
      owned_monitor_(env.NewMonitor()),
      monitor_(owned_monitor_.get()) {}

FrontCrew::~FrontCrew() { Stop(); }

void FrontCrew::Stop() {
  std::vector<std::unique_ptr<Member>> members;
  std::deque<Task> forgotten;
  {
    net::MonitorLock lock(monitor_);
    stops_ = true;
    while (starts_ > 0) monitor_->WaitUntil(absl::InfiniteFuture());
    forgotten.swap(tasks_);
    coming_ += idle_.size();
    for (Member* const member : std::exchange(idle_, {})) member->Call();
    members.swap(members_);
  }
  members.clear();
}

bool FrontCrew::Begin() {
  Member* first = nullptr;
  {
    net::MonitorLock lock(monitor_);
    first = members_.emplace_back(std::make_unique<Member>(env_)).get();
    ++coming_;
    ++starts_;
  }
  return Start(first);
}

void FrontCrew::Add(Task task) {
  net::MonitorLock lock(monitor_);
  tasks_.push_back(std::move(task));
}

void FrontCrew::Choose(std::vector<Member*>& called, std::vector<Member*>& started) {
  if (stops_) return;
  while (tasks_.size() > coming_ && !idle_.empty()) {
    called.push_back(idle_.back());
    idle_.pop_back();
    ++coming_;
  }
  while (tasks_.size() > coming_ && members_.size() < threads_max_) {
    started.push_back(members_.emplace_back(std::make_unique<Member>(env_)).get());
    ++coming_;
    ++starts_;
  }
}

void FrontCrew::Wake() {
  std::vector<Member*> called;
  std::vector<Member*> started;
  {
    net::MonitorLock lock(monitor_);
    Choose(called, started);
  }
  for (Member* const member : called) member->Call();
  // Where there is none to be had, those that there are go on without it.
  for (Member* const member : started) Start(member);
}

bool FrontCrew::Start(Member* member) {
  std::unique_ptr<net::Thread> thread =
      env_.StartThread("front", [this, member] { Work(*member); });
  net::MonitorLock lock(monitor_);
  --starts_;
  monitor_->NotifyAll();
  if (thread != nullptr) {
    member->thread = std::move(thread);
    return true;
  }
  LOG(WARNING) << "no thread more than the " << members_.size() - 1 << " that the front has";
  --coming_;
  members_.erase(std::find_if(members_.begin(), members_.end(),
                              [member](const auto& one) { return one.get() == member; }));
  return false;
}

void FrontCrew::Work(Member& member) {
  for (;;) {
    monitor_->Lock();
    --coming_;
    while (!tasks_.empty()) {
      Task task = std::move(tasks_.front());
      tasks_.pop_front();
      ++working_;
      monitor_->Unlock();
      task();
      task = nullptr;
      monitor_->Lock();
      --working_;
    }
    const bool stops = stops_;
    if (!stops) idle_.push_back(&member);
    if (working_ == 0) monitor_->NotifyAll();
    monitor_->Unlock();
    if (stops) return;
    member.AwaitCall();
  }
}

bool FrontCrew::AwaitIdle(absl::Time deadline) {
  net::MonitorLock lock(monitor_);
  while (working_ > 0 || !tasks_.empty()) {
    if (!monitor_->WaitUntil(deadline)) return working_ == 0 && tasks_.empty();
  }
  return true;
}

}  // namespace rollcall::front
