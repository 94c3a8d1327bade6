#include "net/std_monitor.h"

#include "net/steady_time.h"

namespace rollcall::net {

void StdMonitor::Lock() { mutex_.lock(); }

void StdMonitor::Unlock() { mutex_.unlock(); }

bool StdMonitor::WaitUntil(absl::Time deadline) {
  std::unique_lock<std::mutex> held(mutex_, std::adopt_lock);
  std::cv_status woken = std::cv_status::no_timeout;
  if (deadline == absl::InfiniteFuture()) {
    changed_.wait(held);
  } else {
    // On the steady clock it is pthread_cond_clockwait, which TSan understands.
    woken = changed_.wait_until(held, SteadyPoint(deadline));
  }
  held.release();  // The caller holds the lock again, as before.
  return woken == std::cv_status::no_timeout || SteadyNow() < deadline;
}

void StdMonitor::NotifyAll() { changed_.notify_all(); }

}  // namespace rollcall::net
