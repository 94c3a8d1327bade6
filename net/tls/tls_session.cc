#include "net/tls/tls_session.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <cstring>
#include <limits>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "glog/logging.h"
#include "net/address.h"
#include "net/net_error.h"
#include "net/tls/tls_error.h"

namespace rollcall::net {
namespace {

// Of a handshake, and of an alert.
constexpr char kHandshakeRecord = 0x16;
constexpr char kAlertRecord = 0x15;
constexpr size_t kShownBytesMax = 16;

}  // namespace

// OpenSSL's way to the bytes. A BIO of OpenSSL's own in memory would keep for each connection the
// most that it ever held.
struct TlsSessionBio {
  static TlsSession& SessionOf(BIO* bio) { return *static_cast<TlsSession*>(BIO_get_data(bio)); }

  static int Read(BIO* bio, char* buffer, int size_bytes) {
    TlsSession& session = SessionOf(bio);
    BIO_clear_retry_flags(bio);
    if (session.unread_.empty()) {
      BIO_set_retry_read(bio);
      return -1;
    }
    const size_t count = std::min(session.unread_.size(), static_cast<size_t>(size_bytes));
    std::memcpy(buffer, session.unread_.data(), count);
    session.unread_.remove_prefix(count);
    return static_cast<int>(count);
  }

  static int Write(BIO* bio, const char* bytes, int size_bytes) {
    SessionOf(bio).out_->append(bytes, static_cast<size_t>(size_bytes));
    return size_bytes;
  }

  static long Control(BIO*, int command, long, void*) { return command == BIO_CTRL_FLUSH ? 1 : 0; }

  static BIO_METHOD* NewMethod() {
    BIO_METHOD* const method = CHECK_NOTNULL(
        BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "rollcall TLS session"));
    BIO_meth_set_read(method, &Read);
    BIO_meth_set_write(method, &Write);
    BIO_meth_set_ctrl(method, &Control);
    return method;
  }

  static BIO* New(TlsSession* session) {
    static BIO_METHOD* const method = NewMethod();  // Never changed, and never freed.
    BIO* const bio = CHECK_NOTNULL(BIO_new(method));
    BIO_set_data(bio, session);
    BIO_set_init(bio, 1);
    return bio;
  }
};

TlsSession::TlsSession(std::shared_ptr<const TlsContext> context, absl::Time now)
    : context_(std::move(context)), ssl_(CHECK_NOTNULL(SSL_new(context_->get()))) {
  BIO* const bio = TlsSessionBio::New(this);
  SSL_set_bio(ssl_, bio, bio);
  X509_VERIFY_PARAM_set_time(SSL_get0_param(ssl_), absl::ToTimeT(now));
  if (context_->is_server()) {
    SSL_set_accept_state(ssl_);
  } else {
    SSL_set_connect_state(ssl_);
  }
}

TlsSession::~TlsSession() { SSL_free(ssl_); }

std::unique_ptr<TlsSession> TlsSession::ForServer(std::shared_ptr<const TlsContext> context,
                                                  absl::Time now) {
  return std::unique_ptr<TlsSession>(new TlsSession(std::move(context), now));
}

absl::StatusOr<std::unique_ptr<TlsSession>> TlsSession::ForClient(
    std::shared_ptr<const TlsContext> context, const std::string& server_name, absl::Time now) {
  std::unique_ptr<TlsSession> session(new TlsSession(std::move(context), now));
  X509_VERIFY_PARAM* const rules = SSL_get0_param(session->ssl_);
  bool accepted;
  if (SocketAddress::FromNumeric(server_name, 0).ok()) {
    accepted = X509_VERIFY_PARAM_set1_ip_asc(rules, server_name.c_str()) == 1;
  } else {
    // By its name the server may choose between certificates; an address is none (RFC 6066).
    accepted = !server_name.empty() && SSL_set1_host(session->ssl_, server_name.c_str()) == 1 &&
               SSL_set_tlsext_host_name(session->ssl_, server_name.c_str()) == 1;
  }
  ERR_clear_error();
  if (accepted) return session;
  return absl::InvalidArgumentError(absl::StrCat("\"", absl::CHexEscape(server_name),
                                                 "\" is no name that a certificate can be for"));
}

void TlsSession::Feed(absl::string_view bytes) {
  if (unread_.empty()) {
    unread_ = bytes;
    return;
  }
  KeepUnread();
  kept_.append(bytes.data(), bytes.size());
  unread_ = kept_;
}

void TlsSession::KeepUnread() {
  if (unread_.empty()) {
    kept_ = std::string();
  } else if (unread_.data() != kept_.data() || unread_.size() != kept_.size()) {
    kept_ = std::string(unread_);
  }
  unread_ = kept_;
}

bool TlsSession::has_unread() const {
  return !unread_.empty() || (established_ && SSL_has_pending(ssl_) == 1);
}

absl::Status TlsSession::CheckFirstByte(std::string& out) {
  if (first_byte_seen_ || unread_.empty()) return absl::OkStatus();
  first_byte_seen_ = true;
  const char first = unread_.front();
  if (first == kHandshakeRecord || (first == kAlertRecord && !context_->is_server())) {
    return absl::OkStatus();
  }
  const std::string shown = absl::CHexEscape(std::string(unread_.substr(0, kShownBytesMax)));
  if (!context_->is_server()) {
    return TlsFailure(absl::StrCat("the answer to the TLS handshake is none of TLS: \"", shown,
                                   "\"; is this a port without TLS?"));
  }
  const absl::string_view alert = PlainTlsAlert();
  out.append(alert.data(), alert.size());
  return TlsFailure(
      absl::StrCat("plain bytes where a TLS handshake should begin: \"", shown, "\""));
}

absl::Status TlsSession::Judge(int result) {
  if (result > 0) return absl::OkStatus();
  switch (SSL_get_error(ssl_, result)) {
    case SSL_ERROR_WANT_READ:
      return absl::OkStatus();
    case SSL_ERROR_ZERO_RETURN:
      peer_ended_ = true;
      return absl::OkStatus();
    default:
      failure_ = TlsFailure(absl::StrCat(
          established_ ? "TLS failed: " : "the TLS handshake failed: ", ExplainTlsFailure(ssl_)));
      return failure_;
  }
}

absl::Status TlsSession::Handshake(std::string& out) {
  if (!failure_.ok() || established_) return failure_;
  if (absl::Status first = CheckFirstByte(out); !first.ok()) return failure_ = first;
  out_ = &out;
  ERR_clear_error();
  const int result = SSL_do_handshake(ssl_);
  absl::Status judged = Judge(result);
  established_ = result == 1;
  if (judged.ok() && peer_ended_) failure_ = TlsFailure("the peer gave up the TLS handshake");
  return failure_;
}

absl::StatusOr<size_t> TlsSession::Read(absl::Span<char> room, std::string& out) {
  if (!failure_.ok()) return failure_;
  if (peer_ended_) return size_t{0};
  out_ = &out;
  ERR_clear_error();
  size_t count = 0;
  const int result = SSL_read_ex(ssl_, room.data(), room.size(), &count);
  if (absl::Status judged = Judge(result); !judged.ok()) return judged;
  return result == 1 ? count : 0;
}

absl::Status TlsSession::Write(absl::string_view bytes, std::string& out) {
  if (!failure_.ok()) return failure_;
  out_ = &out;
  ERR_clear_error();
  size_t count = 0;
  if (bytes.empty()) return absl::OkStatus();
  // All of it or nothing: the way out takes whatever comes.
  if (SSL_write_ex(ssl_, bytes.data(), bytes.size(), &count) == 1) return absl::OkStatus();
  failure_ = TlsFailure(absl::StrCat("TLS failed: ", ExplainTlsFailure(ssl_)));
  return failure_;
}

void TlsSession::End(std::string& out) {
  if (!failure_.ok() || !established_ || ended_) return;
  ended_ = true;
  out_ = &out;
  ERR_clear_error();
  SSL_shutdown(ssl_);
  ERR_clear_error();
}

}  // namespace rollcall::net
