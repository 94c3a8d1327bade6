#include "net/descriptors.h"

#include <fcntl.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>

namespace rollcall::net {

void ReserveDescriptors(int count) {
  rlimit limit = {};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  const auto highest = static_cast<int>(std::min<rlim_t>(count, limit.rlim_cur)) - 1;
  const int some_fd = eventfd(0, EFD_CLOEXEC);
  if (some_fd < 0) return;
  // Its number is `highest` or above; the table, once that large, stays so.
  const int high_fd = fcntl(some_fd, F_DUPFD_CLOEXEC, std::max(highest, 0));
  if (high_fd >= 0) close(high_fd);
  close(some_fd);
}

}  // namespace rollcall::net
