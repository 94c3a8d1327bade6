// A Monitor for threads of the operating system.
#ifndef ROLLCALL_NET_STD_MONITOR_H_
#define ROLLCALL_NET_STD_MONITOR_H_

#include <condition_variable>
#include <mutex>

#include "absl/base/thread_annotations.h"
#include "absl/time/time.h"
#include "net/monitor.h"

namespace rollcall::net {

// Deadlines are on SteadyNow()'s scale.
class StdMonitor final : public Monitor {
 public:
  void Lock() ABSL_NO_THREAD_SAFETY_ANALYSIS override;
  void Unlock() ABSL_NO_THREAD_SAFETY_ANALYSIS override;
  bool WaitUntil(absl::Time deadline) override;
  void NotifyAll() override;

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
};

}  // namespace rollcall::net

#endif  // ROLLCALL_NET_STD_MONITOR_H_
