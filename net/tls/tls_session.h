// One end of one TLS connection, without any I/O: bytes in, bytes out.
#ifndef ROLLCALL_NET_TLS_TLS_SESSION_H_
#define ROLLCALL_NET_TLS_TLS_SESSION_H_

#include <cstddef>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "net/tls/tls_context.h"

struct ssl_st;

namespace rollcall::net {

// Whatever must be sent to the peer is appended to `out`, by each call that has one: encrypted, in
// order, and due also where the call failed (the alert that tells the peer why). Every error is a
// kTls whose message says why in words, and is final: the session gives it again. Not thread-safe.
class TlsSession {
 public:
  // `now` is the time at which certificates must be valid.
  static std::unique_ptr<TlsSession> ForServer(std::shared_ptr<const TlsContext> context,
                                               absl::Time now);
  // The server's certificate must be for `server_name`: a host name or a numeric address.
  // InvalidArgument where it is neither.
  static absl::StatusOr<std::unique_ptr<TlsSession>> ForClient(
      std::shared_ptr<const TlsContext> context, const std::string& server_name, absl::Time now);

  ~TlsSession();
  TlsSession(const TlsSession&) = delete;
  TlsSession& operator=(const TlsSession&) = delete;

  // Hands over what came from the peer, behind what was handed over before. `bytes` must stay alive
  // until KeepUnread, which copies what of it no other call has used.
  void Feed(absl::string_view bytes);
  void KeepUnread();

  // Goes on with the handshake as far as the bytes reach; the client's first call begins it. OK
  // whether or not it is over now.
  absl::Status Handshake(std::string& out);
  bool established() const { return established_; }

  // Decrypts into `room` as far as the bytes reach: how many came, at least one unless more are
  // needed from the peer, or peer_ended(). Only once established.
  absl::StatusOr<size_t> Read(absl::Span<char> room, std::string& out);
  // The peer has said that nothing more will come. That the bytes merely stop is no such end: they
  // may have been cut off.
  bool peer_ended() const { return peer_ended_; }
  // Read may have something without another Feed.
  bool has_unread() const;

  // Encrypts. Only once established, and not after End.
  absl::Status Write(absl::string_view bytes, std::string& out);
  // Tells the peer that nothing more will come. Only once established.
  void End(std::string& out);

  // The longest plain text of a record: a Read gives at most that, whatever the room.
  static constexpr size_t kRecordBytesMax = 16 << 10;

 private:
  friend struct TlsSessionBio;

  TlsSession(std::shared_ptr<const TlsContext> context, absl::Time now);

  // `result` is what an SSL_ call returned. OK where it only wants more bytes.
  absl::Status Judge(int result);
  absl::Status CheckFirstByte(std::string& out);

  const std::shared_ptr<const TlsContext> context_;
  ssl_st* const ssl_;
  absl::string_view unread_;  // In what was fed, or in kept_.
  std::string kept_;
  std::string* out_ = nullptr;  // Of the call under way.
  absl::Status failure_;
  bool first_byte_seen_ = false;
  bool established_ = false;
  bool peer_ended_ = false;
  bool ended_ = false;
};

}  // namespace rollcall::net

#endif  // ROLLCALL_NET_TLS_TLS_SESSION_H_
