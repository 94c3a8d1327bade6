// A Monitor for fibers.
#ifndef ROLLCALL_FAULT_INJECTION_SIM_MONITOR_H_
#define ROLLCALL_FAULT_INJECTION_SIM_MONITOR_H_

#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/time/time.h"
#include "fault_injection/world.h"
#include "net/monitor.h"

namespace rollcall::fault {

// Who gets the lock, of those that wait when it is released, is one of the world's choices; nobody
// can come in between. A fiber that is killed takes the lock once more before it lets go of it, so
// that what it guards is as the code left it.
class SimMonitor final : public net::Monitor {
 public:
  // `name` is for the picture of a stuck world. `world` must outlive it.
  SimMonitor(World* world, std::string name);
  // CHECK-fails if a fiber holds it or waits for it, unless the fiber was abandoned.
  ~SimMonitor() override;

  // Never raises FiberKilled.
  void Lock() ABSL_NO_THREAD_SAFETY_ANALYSIS override;
  void Unlock() ABSL_NO_THREAD_SAFETY_ANALYSIS override;
  bool WaitUntil(absl::Time deadline) ABSL_NO_THREAD_SAFETY_ANALYSIS override;
  void NotifyAll() override;

 private:
  struct Waiter;

  void AwaitLock(Waiter& self);
  void Grant();
  std::string LockText() const;

  World& world_;
  const std::string name_;
  bool is_held_ = false;
  const std::string* holder_ =
      nullptr;  // Its actor, for the picture; it lives as long as the world.
  std::vector<Waiter*> for_lock_;
  std::vector<Waiter*> for_notify_;
};

}  // namespace rollcall::fault

#endif  // ROLLCALL_FAULT_INJECTION_SIM_MONITOR_H_
