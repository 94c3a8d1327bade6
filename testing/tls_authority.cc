#include "testing/tls_authority.h"

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <memory>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "glog/logging.h"
#include "net/address.h"

namespace rollcall {
namespace {

using OwnedX509 = std::unique_ptr<X509, decltype(&X509_free)>;
using OwnedKey = std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)>;
using OwnedBio = std::unique_ptr<BIO, decltype(&BIO_free_all)>;

OwnedKey NewKey() {
  return OwnedKey(CHECK_NOTNULL(EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519")), &EVP_PKEY_free);
}

std::string TextIn(BIO* bio) {
  char* bytes = nullptr;
  const long size_bytes = BIO_get_mem_data(bio, &bytes);
  return std::string(bytes, static_cast<size_t>(size_bytes));
}

std::string CertificatePem(X509* certificate) {
  const OwnedBio bio(BIO_new(BIO_s_mem()), &BIO_free_all);
  CHECK_EQ(PEM_write_bio_X509(bio.get(), certificate), 1);
  return TextIn(bio.get());
}

std::string KeyPem(EVP_PKEY* key) {
  const OwnedBio bio(BIO_new(BIO_s_mem()), &BIO_free_all);
  CHECK_EQ(PEM_write_bio_PrivateKey(bio.get(), key, nullptr, nullptr, 0, nullptr, nullptr), 1);
  return TextIn(bio.get());
}

OwnedX509 ReadCertificate(const std::string& pem) {
  const OwnedBio bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())), &BIO_free_all);
  return OwnedX509(CHECK_NOTNULL(PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr)),
                   &X509_free);
}

OwnedKey ReadKey(const std::string& pem) {
  const OwnedBio bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())), &BIO_free_all);
  return OwnedKey(CHECK_NOTNULL(PEM_read_bio_PrivateKey(bio.get(), nullptr, nullptr, nullptr)),
                  &EVP_PKEY_free);
}

void AddExtension(X509* certificate, X509* issuer, int nid, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  X509_EXTENSION* const extension =
      CHECK_NOTNULL(X509V3_EXT_conf_nid(nullptr, &context, nid, value.c_str()));
  CHECK_EQ(X509_add_ext(certificate, extension, -1), 1);
  X509_EXTENSION_free(extension);
}

// All but the issuer, the extensions and the signature.
OwnedX509 Unsigned(absl::string_view subject, EVP_PKEY* key, absl::Time begins, absl::Time ends) {
  OwnedX509 certificate(CHECK_NOTNULL(X509_new()), &X509_free);
  X509_set_version(certificate.get(), X509_VERSION_3);
  ASN1_INTEGER_set(X509_get_serialNumber(certificate.get()), 1);
  ASN1_TIME_set(X509_getm_notBefore(certificate.get()), absl::ToTimeT(begins));
  ASN1_TIME_set(X509_getm_notAfter(certificate.get()), absl::ToTimeT(ends));
  X509_set_pubkey(certificate.get(), key);
  X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate.get()), "CN", MBSTRING_ASC,
                             reinterpret_cast<const unsigned char*>(subject.data()),
                             static_cast<int>(subject.size()), -1, 0);
  return certificate;
}

std::string AlternativeNames(const std::vector<std::string>& names) {
  return absl::StrJoin(names, ",", [](std::string* out, const std::string& name) {
    const bool is_address = net::SocketAddress::FromNumeric(name, 0).ok();
    absl::StrAppend(out, is_address ? "IP:" : "DNS:", name);
  });
}

}  // namespace

TlsAuthority::TlsAuthority(absl::Time now, absl::string_view name) : now_(now), name_(name) {
  const OwnedKey key = NewKey();
  const OwnedX509 own =
      Unsigned(name, key.get(), now - absl::Hours(24), now + absl::Hours(60 * 24));
  X509_set_issuer_name(own.get(), X509_get_subject_name(own.get()));
  AddExtension(own.get(), own.get(), NID_basic_constraints, "critical,CA:TRUE");
  AddExtension(own.get(), own.get(), NID_subject_key_identifier, "hash");
  CHECK_GT(X509_sign(own.get(), key.get(), nullptr), 0);
  identity_ = {.certificate = CertificatePem(own.get()), .private_key = KeyPem(key.get())};
}

TlsIdentity TlsAuthority::Issue(const Request& request) const {
  const OwnedX509 issuer = ReadCertificate(identity_.certificate);
  const OwnedKey issuer_key = ReadKey(identity_.private_key);
  const OwnedKey key = NewKey();
  const OwnedX509 issued =
      Unsigned(request.subject, key.get(), now_ + request.begins, now_ + request.ends);
  X509_set_issuer_name(issued.get(), X509_get_subject_name(issuer.get()));
  AddExtension(issued.get(), issuer.get(), NID_subject_alt_name, AlternativeNames(request.names));
  CHECK_GT(X509_sign(issued.get(), issuer_key.get(), nullptr), 0);
  return {.certificate = CertificatePem(issued.get()), .private_key = KeyPem(key.get())};
}

}  // namespace rollcall
