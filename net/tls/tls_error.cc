#include "net/tls/tls_error.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <memory>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "net/net_error.h"

namespace rollcall::net {
namespace {

// Record type 21, version 3.1 as every first record, two bytes: fatal, protocol_version.
constexpr char kPlainAlert[] = "\x15\x03\x01\x00\x02\x02\x46";

// OpenSSL's reasons for an alert that came are its number and this.
bool IsAlert(int reason) {
  return reason > SSL_AD_REASON_OFFSET && reason < SSL_AD_REASON_OFFSET + 256;
}

std::string AlertText(int alert) {
  // The one that this OpenSSL has no name for.
  const char* const name = alert == TLS13_AD_CERTIFICATE_REQUIRED
                               ? "certificate required"
                               : SSL_alert_desc_string_long(alert);
  std::string text = absl::StrCat("the peer ended it with the alert \"", name, "\"");
  switch (alert) {
    case TLS1_AD_PROTOCOL_VERSION:
      return text + ": it knows none of our versions of TLS, or the port is one without TLS";
    case TLS1_AD_UNKNOWN_CA:
      return text + ": it does not trust who signed our certificate";
    case SSL_AD_CERTIFICATE_EXPIRED:
      return text + ": our certificate is out of date";
    case TLS13_AD_CERTIFICATE_REQUIRED:
      return text + ": it wants a certificate of us, and we have none";
    default:
      return text;
  }
}

std::string SubjectOf(X509* certificate) {
  char name[256] = {};
  X509_NAME_oneline(X509_get_subject_name(certificate), name, sizeof(name));
  return name;
}

std::string ExplainCertificate(ssl_st* ssl, long result) {
  const absl::string_view whose = SSL_is_server(ssl) ? "the client's" : "the server's";
  std::string text =
      absl::StrCat(whose, " certificate is not accepted: ", X509_verify_cert_error_string(result));
  // The one that was looked at is kept even where it was turned down.
  const std::unique_ptr<X509, decltype(&X509_free)> certificate(SSL_get1_peer_certificate(ssl),
                                                                &X509_free);
  if (certificate != nullptr) absl::StrAppend(&text, " (", SubjectOf(certificate.get()), ")");
  return text;
}

}  // namespace

std::string TakeTlsReason() {
  const unsigned long error = ERR_peek_last_error();
  ERR_clear_error();
  const char* const reason = ERR_reason_error_string(error);
  if (reason != nullptr) return reason;
  return error == 0 ? "no reason given" : absl::StrCat("error ", error);
}

std::string ExplainTlsFailure(ssl_st* ssl) {
  const unsigned long error = ERR_peek_error();
  const int reason = ERR_GET_REASON(error);
  if (ERR_GET_LIB(error) == ERR_LIB_SSL) {
    if (reason == SSL_R_CERTIFICATE_VERIFY_FAILED) {
      ERR_clear_error();
      return ExplainCertificate(ssl, SSL_get_verify_result(ssl));
    }
    if (reason == SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE) {
      ERR_clear_error();
      return "the client presented no certificate";
    }
    if (IsAlert(reason)) {
      ERR_clear_error();
      return AlertText(reason - SSL_AD_REASON_OFFSET);
    }
  }
  return TakeTlsReason();
}

absl::Status TlsFailure(absl::string_view what) {
  return NetError(what, {.kind = NetErrorKind::kTls});
}

absl::string_view PlainTlsAlert() {
  return absl::string_view(kPlainAlert, sizeof(kPlainAlert) - 1);
}

bool LooksLikeTlsAlert(absl::string_view bytes) { return absl::StartsWith(bytes, "\x15\x03"); }

}  // namespace rollcall::net
