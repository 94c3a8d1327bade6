// What each operation of a store is in etcd: those that wait.
#ifndef ROLLCALL_STORE_ETCD_ETCD_WAITS_H_
#define ROLLCALL_STORE_ETCD_ETCD_WAITS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "store/etcd/etcd_session.h"

namespace rollcall::etcd {

// A call and what its user called its time-out. `call.deadline` is when the waiting ends; with a
// time-out of zero, it is when etcd must have said what is there.
struct EtcdWait {
  EtcdCall call;
  absl::Duration timeout;
};

// Each returns WAIT_TIMEOUT (AwaitBarrier: BARRIER_TIMEOUT) when the time is up, and the errors of
// etcd_failure.h where etcd was not there to be asked. Thread-safe, like the session.
absl::Status AwaitKeys(EtcdSession& session, const EtcdWait& wait,
                       absl::Span<const std::string> keys);
// All values, in the order of the keys: those that were there at the first look, or of one key the
// value it came with, or all at a later moment at which all were there.
absl::StatusOr<std::vector<std::string>> AwaitValues(EtcdSession& session, const EtcdWait& wait,
                                                     absl::Span<const std::string> keys);
absl::StatusOr<std::string> AwaitElement(EtcdSession& session, const EtcdWait& wait,
                                         absl::string_view queue);
// Counts this one in, and waits for the others. NOT_A_NUMBER.
absl::Status AwaitBarrier(EtcdSession& session, const EtcdWait& wait, absl::string_view key,
                          int64_t world_size);

}  // namespace rollcall::etcd

#endif  // ROLLCALL_STORE_ETCD_ETCD_WAITS_H_
