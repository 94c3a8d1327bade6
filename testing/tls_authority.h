// Certificates for tests, made when they are needed: none is checked in to expire one day.
#ifndef ROLLCALL_TESTING_TLS_AUTHORITY_H_
#define ROLLCALL_TESTING_TLS_AUTHORITY_H_

#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace rollcall {

// PEM texts, as net::TlsContext wants them.
struct TlsIdentity {
  std::string certificate;
  std::string private_key;
};

// Signs certificates with a key of its own. Keys are Ed25519: they and their signatures are of
// one length, so that two runs of a test exchange messages of the same lengths.
class TlsAuthority {
 public:
  explicit TlsAuthority(absl::Time now, absl::string_view name = "test authority");

  // What to trust.
  const std::string& certificate() const { return identity_.certificate; }

  struct Request {
    absl::string_view subject = "test";
    // Host names and numeric addresses.
    std::vector<std::string> names = {"localhost", "127.0.0.1", "::1"};
    // From an hour before the authority's `now`, for a month.
    absl::Duration begins = -absl::Hours(1);
    absl::Duration ends = absl::Hours(30 * 24);
  };
  TlsIdentity Issue(const Request& request) const;
  TlsIdentity Issue() const { return Issue(Request()); }

 private:
  const absl::Time now_;
  const std::string name_;
  TlsIdentity identity_;
};

}  // namespace rollcall

#endif  // ROLLCALL_TESTING_TLS_AUTHORITY_H_
