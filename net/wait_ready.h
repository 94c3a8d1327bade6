// Waiting for one descriptor under an absolute deadline.
#ifndef ROLLCALL_NET_WAIT_READY_H_
#define ROLLCALL_NET_WAIT_READY_H_

#include "absl/time/time.h"
#include "net/clock.h"
#include "net/syscalls.h"

namespace rollcall::net {

// Waits until `fd` has one of the poll events (or has failed: then the next call on it says how).
// 1: it has. 0: the deadline passed first. -errno: poll itself failed; never -EINTR.
int WaitReady(Syscalls& syscalls, Clock& clock, int fd, short events, absl::Time deadline);

}  // namespace rollcall::net

#endif  // ROLLCALL_NET_WAIT_READY_H_
