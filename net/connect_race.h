// Connecting to the first of several addresses that answers.
#ifndef ROLLCALL_NET_CONNECT_RACE_H_
#define ROLLCALL_NET_CONNECT_RACE_H_

#include <cstddef>
#include <optional>

#include "absl/container/inlined_vector.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "net/address.h"
#include "net/clock.h"
#include "net/net_error.h"
#include "net/owned_fd.h"
#include "net/syscalls.h"

namespace rollcall::net {

// One run of Env::ConnectAny; see there. Not thread-safe. No descriptor outlives it but the
// winner's.
class ConnectRace {
 public:
  struct Winner {
    OwnedFd fd;  // In blocking mode.
    SocketAddress local;
    SocketAddress peer;
  };

  // All must outlive Run.
  ConnectRace(Syscalls* syscalls, Clock* clock, absl::Span<const SocketAddress> addresses,
              absl::Time deadline);

  // Once.
  absl::StatusOr<Winner> Run();

 private:
  // One address: not yet started, in the race (its descriptor is open), or failed (it has an
  // error).
  struct Lane {
    OwnedFd fd;
    bool failed = false;
    NetErrorKind kind = NetErrorKind::kUnknown;
    int errno_value = 0;
  };

  // A name has seldom more addresses than one of each family.
  static constexpr size_t kLanesInline = 2;

  void StartNext();
  // Until a lane in the race is ready, or the next is due, or the deadline.
  void WaitForLanes();
  void OnReady(size_t index, short events);
  // The connection stands, unless it is one with ourselves.
  void Finish(size_t index);
  void Fail(size_t index, NetErrorKind kind, int errno_value);
  bool AnyInRace() const;
  absl::Status Failure() const;

  Syscalls* const syscalls_;
  Clock* const clock_;
  const absl::Span<const SocketAddress> addresses_;
  const absl::Time deadline_;
  const absl::Time start_;
  absl::InlinedVector<Lane, kLanesInline> lanes_;  // The first of addresses_.
  // Of the next lane, even if those before it are still in the race.
  absl::Time next_start_;
  std::optional<Winner> winner_;
};

}  // namespace rollcall::net

#endif  // ROLLCALL_NET_CONNECT_RACE_H_
