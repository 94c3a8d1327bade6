// The simulated kernel's epoll sets and eventfds.
#ifndef ROLLCALL_FAULT_INJECTION_SIM_EPOLL_H_
#define ROLLCALL_FAULT_INJECTION_SIM_EPOLL_H_

#include <sys/epoll.h>

#include <cstdint>
#include <memory>
#include <vector>

#include "absl/time/time.h"
#include "fault_injection/scheduler.h"
#include "fault_injection/sim_file.h"

namespace rollcall::fault {

// Level-triggered, EPOLLET and EPOLLONESHOT, with Linux's order: who became ready first is told
// first, and who is still ready after being told goes to the end of the line.
class SimEpoll final : public SimFile {
 public:
  explicit SimEpoll(Scheduler* scheduler);
  ~SimEpoll() override;

  // epoll_ctl on `file`, which descriptor `fd` refers to. 0 or -errno.
  int Control(int operation, int fd, SimFile* file, const epoll_event* event);
  // epoll_wait. How many, or 0 when `deadline` came first.
  int Wait(epoll_event* events, int count, absl::Time deadline);
  // Descriptor `fd` is being closed.
  void Forget(int fd);

  uint32_t Readiness() override { return first_ready_ != nullptr ? EPOLLIN | EPOLLRDNORM : 0u; }

 private:
  class Watch;

  void OnLastReference() override { delete this; }
  void MakeReady(Watch* watch);
  void RemoveReady(Watch* watch);
  int Collect(epoll_event* events, int count);

  // By descriptor: a slot that is empty is not watched.
  std::vector<std::unique_ptr<Watch>> watches_;
  Watch* first_ready_ = nullptr;
  Watch* last_ready_ = nullptr;
};

class SimEventFd final : public SimFile {
 public:
  explicit SimEventFd(Scheduler* scheduler) : SimFile(Kind::kEventFd, scheduler) {
    set_nonblocking(true);
  }

  // Adds one; 8, or -EAGAIN when the counter is at its end.
  int Signal();
  // Empties it; 8, or -EAGAIN when it is empty.
  int Drain();

  uint32_t Readiness() override;

 private:
  void OnLastReference() override { delete this; }

  uint64_t counter_ = 0;
};

}  // namespace rollcall::fault

#endif  // ROLLCALL_FAULT_INJECTION_SIM_EPOLL_H_
