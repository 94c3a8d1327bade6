// The host table of a simulated network: what getaddrinfo answers there.
#ifndef ROLLCALL_FAULT_INJECTION_SIM_NAMES_H_
#define ROLLCALL_FAULT_INJECTION_SIM_NAMES_H_

#include <netdb.h>

#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "fault_injection/sim_address.h"

namespace rollcall::fault {

// Names without regard to case. "localhost" is ::1 and 127.0.0.1 from the start.
class SimNames {
 public:
  SimNames();

  // Takes the place of what the name had. No address: EAI_NODATA's modern form, EAI_NONAME.
  void Set(absl::string_view name, std::vector<IpAddress> addresses);
  void Remove(absl::string_view name);

  // The next `count` look-ups of `name` (empty: of any) fail with `eai_error`, an EAI_* code.
  void Fail(absl::string_view name, int eai_error, int count);
  // Each look-up of `name` (empty: of any) takes so long; ZeroDuration() ends it.
  void Delay(absl::string_view name, absl::Duration delay);

  absl::Duration DelayOf(absl::string_view name) const;
  // As getaddrinfo, for stream sockets: numeric hosts too, a null host is the loopback or, with
  // AI_PASSIVE, all interfaces. The list is freed with Free.
  int LookUp(const char* host, const char* service, const addrinfo* hints, addrinfo** result);
  static void Free(addrinfo* list);

 private:
  struct Failure {
    int eai_error = 0;
    int count = 0;
  };

  int AddressesOf(const char* host, int flags, std::vector<IpAddress>* addresses);

  absl::flat_hash_map<std::string, std::vector<IpAddress>> table_;
  absl::flat_hash_map<std::string, Failure> failures_;
  absl::flat_hash_map<std::string, absl::Duration> delays_;
};

}  // namespace rollcall::fault

#endif  // ROLLCALL_FAULT_INJECTION_SIM_NAMES_H_
