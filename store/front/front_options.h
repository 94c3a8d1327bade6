// How a front works.
#ifndef ROLLCALL_STORE_FRONT_FRONT_OPTIONS_H_
#define ROLLCALL_STORE_FRONT_FRONT_OPTIONS_H_

#include <cstddef>

#include "absl/time/time.h"
#include "store/etcd/etcd_options.h"

namespace rollcall {

struct FrontOptions {
  // All fronts of a job have the same prefix. The time-out is that of the start: etcd must have
  // answered by then.
  EtcdOptions etcd;
  // How long a request is tried before its client is hung up on. A wait that waits is no request.
  absl::Duration patience = absl::Seconds(10);
  // How many requests, of different clients, are under way at once.
  size_t threads_max = 32;
  // How long a front that ends goes on with what clients had asked for and nobody has answered yet.
  absl::Duration farewell = absl::Seconds(5);
};

}  // namespace rollcall

#endif  // ROLLCALL_STORE_FRONT_FRONT_OPTIONS_H_
