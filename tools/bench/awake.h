// Keeps a machine's cores from falling asleep while it is measured.
#ifndef ROLLCALL_TOOLS_BENCH_AWAKE_H_
#define ROLLCALL_TOOLS_BENCH_AWAKE_H_

#include <sys/types.h>

#include <vector>

#include "absl/time/time.h"

namespace rollcall::bench {

// A core of a virtual machine that has nothing to do is given back to the host, and takes tens of
// microseconds to return: of a server and a load that wait for each other in turns, one would
// measure mostly that. So each core has a process that spins, which runs (SCHED_IDLE) only while
// nobody else wants to.
class CoresKeptAwake {
 public:
  // Before this process has more than one thread. At most one at a time.
  CoresKeptAwake();
  ~CoresKeptAwake();
  CoresKeptAwake(const CoresKeptAwake&) = delete;
  CoresKeptAwake& operator=(const CoresKeptAwake&) = delete;

  // What they have used so far, if there are any.
  static absl::Duration CpuTime();

 private:
  std::vector<pid_t> spinners_;
};

}  // namespace rollcall::bench

#endif  // ROLLCALL_TOOLS_BENCH_AWAKE_H_
