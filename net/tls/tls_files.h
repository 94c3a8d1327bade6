// What a TlsContext is made of, in files.
#ifndef ROLLCALL_NET_TLS_TLS_FILES_H_
#define ROLLCALL_NET_TLS_TLS_FILES_H_

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "net/tls/tls_context.h"

namespace rollcall::net {

// Paths of PEM files; what each holds, and whether it may be empty, is as in TlsServerOptions.
struct TlsServerFiles {
  std::string certificate_chain = {};
  std::string private_key = {};
  std::string client_ca = {};
  TlsVersion min_version = TlsVersion::k12;
};

// As in TlsClientOptions.
struct TlsClientFiles {
  std::string ca = {};
  std::string certificate_chain = {};
  std::string private_key = {};
  TlsVersion min_version = TlsVersion::k12;
};

// InvalidArgument names the file, and what is wrong with it or with what is in it.
absl::StatusOr<std::shared_ptr<const TlsContext>> LoadTlsContext(const TlsServerFiles& files);
absl::StatusOr<std::shared_ptr<const TlsContext>> LoadTlsContext(const TlsClientFiles& files);

// The whole of a small file: InvalidArgument if it cannot be read or has more than a megabyte.
absl::StatusOr<std::string> ReadSmallFile(const std::string& path);

}  // namespace rollcall::net

#endif  // ROLLCALL_NET_TLS_TLS_FILES_H_
