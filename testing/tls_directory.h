// A test's certificates, keys and tokens, as files.
#ifndef ROLLCALL_TESTING_TLS_DIRECTORY_H_
#define ROLLCALL_TESTING_TLS_DIRECTORY_H_

#include <string>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "net/tls/tls_files.h"
#include "testing/temp_directory.h"
#include "testing/tls_authority.h"

namespace rollcall {

class TlsDirectory {
 public:
  explicit TlsDirectory(absl::Time now);

  const TlsAuthority& authority() const { return authority_; }

  // Writes (anew) a file that only its owner can read, and gives its path.
  std::string Write(const std::string& name, absl::string_view text);
  std::string Path(const std::string& name) const { return directory_.File(name); }

  // Of a server whose certificate the authority signed; `mutual`: that takes only clients of it.
  net::TlsServerFiles Server(bool mutual = false);
  // The server's certificate and key, in the files that Server() named, are these from now on.
  void ReplaceServer(const TlsIdentity& identity);
  // Of a client that trusts the authority; `known`: with a certificate that it signed.
  net::TlsClientFiles Client(bool known = false);
  // Of a client that has this one.
  net::TlsClientFiles Client(const TlsIdentity& identity);

 private:
  const TempDirectory directory_;
  const TlsAuthority authority_;
};

}  // namespace rollcall

#endif  // ROLLCALL_TESTING_TLS_DIRECTORY_H_
