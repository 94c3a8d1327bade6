#include "net/clock.h"

namespace rollcall::net {

absl::Time DeadlineAfter(Clock& clock, absl::Duration timeout) {
  // absl::Time saturates: an infinite or overflowing sum is InfiniteFuture().
  return clock.Now() + timeout;
}

}  // namespace rollcall::net
