#include "tools/bench/awake.h"

#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <thread>

#include "tools/bench/usage.h"

namespace rollcall::bench {
namespace {

const std::vector<pid_t>* spinners_now = nullptr;

[[noreturn]] void Spin(unsigned core, pid_t parent) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != parent) _exit(0);  // It has gone in between.
  const sched_param none = {};
  // As an ordinary process it would take half of the core.
  if (sched_setscheduler(0, SCHED_IDLE, &none) != 0) _exit(1);
  PinTo(0, static_cast<int>(core));
  for (volatile bool forever = true; forever;) {
  }
  _exit(0);
}

}  // namespace

CoresKeptAwake::CoresKeptAwake() {
  const pid_t self = getpid();
  for (unsigned core = 0; core < std::thread::hardware_concurrency(); ++core) {
    const pid_t child = fork();
    if (child == 0) Spin(core, self);
    if (child > 0) spinners_.push_back(child);
  }
  spinners_now = &spinners_;
}

CoresKeptAwake::~CoresKeptAwake() {
  spinners_now = nullptr;
  for (const pid_t spinner : spinners_) {
    kill(spinner, SIGKILL);
    waitpid(spinner, nullptr, 0);
  }
}

absl::Duration CoresKeptAwake::CpuTime() {
  absl::Duration used;
  if (spinners_now == nullptr) return used;
  for (const pid_t spinner : *spinners_now) used += CpuTimeOf(spinner).value_or(absl::Duration());
  return used;
}

}  // namespace rollcall::bench
