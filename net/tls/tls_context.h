// What one side of TLS connections is set up with: whom it is, and whom it trusts.
#ifndef ROLLCALL_NET_TLS_TLS_CONTEXT_H_
#define ROLLCALL_NET_TLS_TLS_CONTEXT_H_

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"

// OpenSSL's, which stays out of our headers.
struct ssl_ctx_st;

namespace rollcall::net {

enum class TlsVersion { k12, k13 };

// All texts are PEM.
struct TlsServerOptions {
  std::string certificate_chain = {};  // The server's own first, then those that signed it.
  std::string private_key = {};        // Not encrypted with a passphrase.
  // Not empty: a client must present a certificate that one of these signed (mutual TLS).
  std::string client_ca = {};
  TlsVersion min_version = TlsVersion::k12;
};

struct TlsClientOptions {
  // Who may have signed the server's certificate. Empty: whom this system trusts.
  std::string ca = {};
  // For servers that ask for it: as above. Both or neither.
  std::string certificate_chain = {};
  std::string private_key = {};
  TlsVersion min_version = TlsVersion::k12;
};

// Immutable, and so thread-safe: connections of any number share one, and one that is replaced
// lives on in the connections that were made with it.
class TlsContext {
 public:
  // InvalidArgument says which of the texts is wrong and why: no PEM, a key that does not fit the
  // certificate, an encrypted key, a key that is too weak.
  static absl::StatusOr<std::shared_ptr<const TlsContext>> ForServer(
      const TlsServerOptions& options);
  static absl::StatusOr<std::shared_ptr<const TlsContext>> ForClient(
      const TlsClientOptions& options);

  ~TlsContext();
  TlsContext(const TlsContext&) = delete;
  TlsContext& operator=(const TlsContext&) = delete;

  // When its own certificate ends; InfiniteFuture() if it has none.
  absl::Time expires() const { return expires_; }

  // For TlsSession.
  ssl_ctx_st* get() const { return context_; }
  bool is_server() const { return is_server_; }

 private:
  TlsContext(ssl_ctx_st* context, bool is_server) : context_(context), is_server_(is_server) {}

  absl::Status UseIdentity(const std::string& chain, const std::string& key);
  absl::Status Trust(const std::string& ca);

  ssl_ctx_st* const context_;
  const bool is_server_;
  absl::Time expires_ = absl::InfiniteFuture();
};

}  // namespace rollcall::net

#endif  // ROLLCALL_NET_TLS_TLS_CONTEXT_H_
