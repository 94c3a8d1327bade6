#include "net/wait_ready.h"

#include <errno.h>

namespace rollcall::net {

int WaitReady(Syscalls& syscalls, Clock& clock, int fd, short events, absl::Time deadline) {
  while (true) {
    const absl::Duration remaining = deadline - clock.Now();
    if (remaining <= absl::ZeroDuration()) return 0;
    pollfd waited = {.fd = fd, .events = events, .revents = 0};
    const int ready = syscalls.Poll(&waited, 1, remaining);
    // 0 is not believed before the clock says so: a wait may end early.
    if (ready != 0 && ready != -EINTR) return ready;
  }
}

}  // namespace rollcall::net
