// A lock with a condition that may be held, and waited on, across a blocking call: in a simulator a
// blocked thread is a fiber, and this lock yields where a std::mutex would stop the whole world.
#ifndef ROLLCALL_NET_MONITOR_H_
#define ROLLCALL_NET_MONITOR_H_

#include "absl/base/thread_annotations.h"
#include "absl/time/time.h"

namespace rollcall::net {

// Made by Env::NewMonitor. Thread-safe.
class ABSL_LOCKABLE Monitor {
 public:
  virtual ~Monitor() = default;
  virtual void Lock() ABSL_EXCLUSIVE_LOCK_FUNCTION() = 0;
  virtual void Unlock() ABSL_UNLOCK_FUNCTION() = 0;
  // Releases the lock, waits for NotifyAll or for `deadline` (on the Env's clock), takes the lock
  // again. False if the deadline passed first. May wake without a cause: test your condition.
  virtual bool WaitUntil(absl::Time deadline) ABSL_EXCLUSIVE_LOCKS_REQUIRED(this) = 0;
  virtual void NotifyAll() = 0;
};

class ABSL_SCOPED_LOCKABLE MonitorLock {
 public:
  explicit MonitorLock(Monitor* monitor) ABSL_EXCLUSIVE_LOCK_FUNCTION(monitor) : monitor_(monitor) {
    monitor_->Lock();
  }
  ~MonitorLock() ABSL_UNLOCK_FUNCTION() { monitor_->Unlock(); }
  MonitorLock(const MonitorLock&) = delete;
  MonitorLock& operator=(const MonitorLock&) = delete;

 private:
  Monitor* const monitor_;
};

}  // namespace rollcall::net

#endif  // ROLLCALL_NET_MONITOR_H_
