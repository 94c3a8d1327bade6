// The port of a real run's server: free, and nobody else's while the run lasts.
#ifndef ROLLCALL_FAULT_INJECTION_REAL_SERVER_PORT_H_
#define ROLLCALL_FAULT_INJECTION_REAL_SERVER_PORT_H_

#include <cstdint>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "net/owned_fd.h"

namespace rollcall::fault {

// Bound and not listening: whoever sets SO_REUSEADDR, as our server does, can bind and listen
// there, while the system gives the number to nobody.
class ServerPort {
 public:
  // ResourceExhausted.
  static absl::StatusOr<ServerPort> Reserve();

  uint16_t number() const { return number_; }

  // Another program listens at it, and accepts nobody: whoever connects hears nothing.
  absl::Status Occupy();
  void Vacate() { occupant_.Reset(); }
  // As if an earlier server had closed a connection just now.
  absl::Status LeaveInTimeWait();

 private:
  ServerPort(net::OwnedFd reserved, uint16_t number)
      : reserved_(std::move(reserved)), number_(number) {}

  net::OwnedFd reserved_;
  net::OwnedFd occupant_;
  uint16_t number_;
};

}  // namespace rollcall::fault

#endif  // ROLLCALL_FAULT_INJECTION_REAL_SERVER_PORT_H_
