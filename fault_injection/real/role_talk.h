// A process's side of the talk with whoever started it.
#ifndef ROLLCALL_FAULT_INJECTION_REAL_ROLE_TALK_H_
#define ROLLCALL_FAULT_INJECTION_REAL_ROLE_TALK_H_

#include <memory>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/functional/any_invocable.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "fault_injection/real/role_lines.h"
#include "net/env.h"
#include "net/monitor.h"

namespace rollcall::fault {

// Reads standard input in a thread of its own. Thread-safe.
class RoleTalk {
 public:
  // `on_enable` is called from that thread, before the next line is read. `env` must outlive it.
  RoleTalk(net::Env* env, absl::AnyInvocable<void(int fault, bool enabled)> on_enable);
  // Says `over`, and waits until standard input ends.
  ~RoleTalk();

  void Say(absl::string_view line);

  // Returns when the run began, on the clock of `env`.
  absl::Time AwaitStart();
  void AwaitGo();
  void AwaitStop();

 private:
  void Listen();
  void OnLine(const RoleLine& line);

  net::Env& env_;
  absl::AnyInvocable<void(int, bool)> on_enable_;
  const std::unique_ptr<net::Monitor> monitor_;
  absl::Time began_ ABSL_GUARDED_BY(*monitor_) = absl::InfiniteFuture();
  int gos_ ABSL_GUARDED_BY(*monitor_) = 0;
  bool is_stopped_ ABSL_GUARDED_BY(*monitor_) = false;
  bool is_over_ ABSL_GUARDED_BY(*monitor_) = false;
  std::unique_ptr<net::Thread> thread_;
};

}  // namespace rollcall::fault

#endif  // ROLLCALL_FAULT_INJECTION_REAL_ROLE_TALK_H_
