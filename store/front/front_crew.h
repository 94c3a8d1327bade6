// Threads for work that waits for others, as many as there is such work, up to a bound.
#ifndef ROLLCALL_STORE_FRONT_FRONT_CREW_H_
#define ROLLCALL_STORE_FRONT_FRONT_CREW_H_

#include <cstddef>
#include <deque>
#include <memory>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/functional/any_invocable.h"
#include "absl/time/time.h"
#include "net/env.h"
#include "net/monitor.h"

namespace rollcall::front {

// Tasks begin in the order in which they were added. Thread-safe.
class FrontCrew {
 public:
  using Task = absl::AnyInvocable<void()>;

  // `env` must outlive it.
  FrontCrew(net::Env& env, size_t threads_max);
  ~FrontCrew();

  // Starts the first thread. False if the system has none to give: nothing would be done.
  bool Begin();
  // For those who hold a lock, or must not make a system call: the task begins after the next Wake.
  void Add(Task task);
  void Wake();
  // Waits until there is nothing to do. False if the deadline passed first.
  bool AwaitIdle(absl::Time deadline);
  // Forgets tasks that have not begun, and waits for those that have. None begins from then on.
  // Idempotent.
  void Stop();

 private:
  struct Member;

  // Those to be called and those to be started, for what there is to do.
  void Choose(std::vector<Member*>& called, std::vector<Member*>& started)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(monitor_);
  bool Start(Member* member);
  void Work(Member& member);

  net::Env& env_;
  const size_t threads_max_;
  const std::unique_ptr<net::Monitor> owned_monitor_;
  net::Monitor* const monitor_;
  std::deque<Task> tasks_ ABSL_GUARDED_BY(monitor_);
  std::vector<std::unique_ptr<Member>> members_ ABSL_GUARDED_BY(monitor_);
  std::vector<Member*> idle_ ABSL_GUARDED_BY(monitor_);
  size_t coming_ ABSL_GUARDED_BY(monitor_) = 0;   // Called or started, and not here yet.
  size_t working_ ABSL_GUARDED_BY(monitor_) = 0;  // At a task.
  size_t starts_ ABSL_GUARDED_BY(monitor_) = 0;   // Of threads, under way.
  bool stops_ ABSL_GUARDED_BY(monitor_) = false;
};

}  // namespace rollcall::front

#endif  // ROLLCALL_STORE_FRONT_FRONT_CREW_H_
