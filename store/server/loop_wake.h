// How an engine with threads of its own wakes a loop.
#ifndef ROLLCALL_STORE_SERVER_LOOP_WAKE_H_
#define ROLLCALL_STORE_SERVER_LOOP_WAKE_H_

#include <memory>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/functional/any_invocable.h"
#include "net/env.h"
#include "net/monitor.h"

namespace rollcall {

// Behind EnginePort::SetWake, with a lock of its own: a loop that ends is not woken any more once
// it has said so. Thread-safe.
class LoopWake {
 public:
  explicit LoopWake(net::Env& env) : monitor_(env.NewMonitor()) {}

  void Set(absl::AnyInvocable<void()> wake) {
    net::MonitorLock lock(monitor_.get());
    wake_ = std::move(wake);
  }
  // Without the engine's lock.
  void Wake() {
    net::MonitorLock lock(monitor_.get());
    if (wake_ != nullptr) wake_();
  }

 private:
  const std::unique_ptr<net::Monitor> monitor_;
  absl::AnyInvocable<void()> wake_ ABSL_GUARDED_BY(*monitor_);
};

}  // namespace rollcall

#endif  // ROLLCALL_STORE_SERVER_LOOP_WAKE_H_
