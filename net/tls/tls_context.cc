#include "net/tls/tls_context.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "glog/logging.h"
#include "net/tls/tls_error.h"

namespace rollcall::net {
namespace {

template <typename Object, void (*kFree)(Object*)>
struct Freer {
  void operator()(Object* object) const { kFree(object); }
};
using OwnedX509 = std::unique_ptr<X509, Freer<X509, X509_free>>;
using OwnedKey = std::unique_ptr<EVP_PKEY, Freer<EVP_PKEY, EVP_PKEY_free>>;

struct BioFreer {
  void operator()(BIO* bio) const { BIO_free(bio); }
};
using OwnedBio = std::unique_ptr<BIO, BioFreer>;

OwnedBio Reading(absl::string_view text) {
  return OwnedBio(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}

// OpenSSL would ask at the terminal.
int NoPassphrase(char*, int, int, void*) { return -1; }

absl::Status Wrong(absl::string_view what) {
  return absl::InvalidArgumentError(absl::StrCat(what, ": ", TakeTlsReason()));
}

absl::Time TimeOf(const ASN1_TIME* time) {
  tm parts = {};
  if (ASN1_TIME_to_tm(time, &parts) != 1) return absl::InfiniteFuture();
  return absl::FromTM(parts, absl::UTCTimeZone());
}

// Fewer bytes for an idle connection, no second handshake on one that is open, and no tickets:
// connections here live as long as the job.
void SetManners(SSL_CTX* context, TlsVersion min_version) {
  SSL_CTX_set_min_proto_version(context,
                                min_version == TlsVersion::k13 ? TLS1_3_VERSION : TLS1_2_VERSION);
  SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_TICKET | SSL_OP_NO_COMPRESSION);
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_num_tickets(context, 0);
}

}  // namespace

TlsContext::~TlsContext() { SSL_CTX_free(context_); }

absl::Status TlsContext::UseIdentity(const std::string& chain, const std::string& key) {
  const OwnedBio chain_bio = Reading(chain);
  const OwnedX509 own(PEM_read_bio_X509(chain_bio.get(), nullptr, &NoPassphrase, nullptr));
  if (own == nullptr) return Wrong("the certificate is no PEM of one");
  if (SSL_CTX_use_certificate(context_, own.get()) != 1)
    return Wrong("the certificate is of no use");
  expires_ = TimeOf(X509_get0_notAfter(own.get()));
  while (OwnedX509 signer{PEM_read_bio_X509(chain_bio.get(), nullptr, &NoPassphrase, nullptr)}) {
    if (SSL_CTX_add1_chain_cert(context_, signer.get()) != 1) {
      return Wrong("a certificate behind the first is of no use");
    }
  }
  ERR_clear_error();  // That there are no more is one to OpenSSL.
  const OwnedBio key_bio = Reading(key);
  const OwnedKey private_key(
      PEM_read_bio_PrivateKey(key_bio.get(), nullptr, &NoPassphrase, nullptr));
  if (private_key == nullptr) {
    return Wrong("the private key is no PEM of one, or is encrypted with a passphrase");
  }
  if (SSL_CTX_use_PrivateKey(context_, private_key.get()) != 1 ||
      SSL_CTX_check_private_key(context_) != 1) {
    return Wrong("the private key does not fit the certificate");
  }
  return absl::OkStatus();
}

absl::Status TlsContext::Trust(const std::string& ca) {
  const OwnedBio bio = Reading(ca);
  int count = 0;
  while (OwnedX509 authority{PEM_read_bio_X509(bio.get(), nullptr, &NoPassphrase, nullptr)}) {
    if (X509_STORE_add_cert(SSL_CTX_get_cert_store(context_), authority.get()) != 1) {
      return Wrong("a certificate of the authorities is of no use");
    }
    if (is_server_) SSL_CTX_add_client_CA(context_, authority.get());
    ++count;
  }
  if (count == 0) return Wrong("the certificates of the authorities are no PEM of one");
  ERR_clear_error();
  return absl::OkStatus();
}

absl::StatusOr<std::shared_ptr<const TlsContext>> TlsContext::ForServer(
    const TlsServerOptions& options) {
  std::shared_ptr<TlsContext> made(
      new TlsContext(CHECK_NOTNULL(SSL_CTX_new(TLS_server_method())), /*is_server=*/true));
  SetManners(made->context_, options.min_version);
  absl::Status set = made->UseIdentity(options.certificate_chain, options.private_key);
  if (!set.ok()) return set;
  if (!options.client_ca.empty()) {
    if (set = made->Trust(options.client_ca); !set.ok()) return set;
    SSL_CTX_set_verify(made->context_, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
  }
  return made;
}

absl::StatusOr<std::shared_ptr<const TlsContext>> TlsContext::ForClient(
    const TlsClientOptions& options) {
  std::shared_ptr<TlsContext> made(
      new TlsContext(CHECK_NOTNULL(SSL_CTX_new(TLS_client_method())), /*is_server=*/false));
  SetManners(made->context_, options.min_version);
  SSL_CTX_set_verify(made->context_, SSL_VERIFY_PEER, nullptr);
  absl::Status set;
  if (options.ca.empty()) {
    SSL_CTX_set_default_verify_paths(made->context_);
    ERR_clear_error();
  } else if (set = made->Trust(options.ca); !set.ok()) {
    return set;
  }
  if (options.certificate_chain.empty() != options.private_key.empty()) {
    return absl::InvalidArgumentError(
        "a client's certificate and its private key go together: one of them is missing");
  }
  if (!options.certificate_chain.empty()) {
    set = made->UseIdentity(options.certificate_chain, options.private_key);
    if (!set.ok()) return set;
  }
  return made;
}

}  // namespace rollcall::net
