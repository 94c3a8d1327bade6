// A Connection that is encrypted, over any other.
#ifndef ROLLCALL_NET_TLS_TLS_CONNECTION_H_
#define ROLLCALL_NET_TLS_TLS_CONNECTION_H_

#include <atomic>
#include <cstddef>
#include <memory>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "net/address.h"
#include "net/connection.h"
#include "net/env.h"
#include "net/monitor.h"
#include "net/net_error.h"
#include "net/tls/tls_session.h"

namespace rollcall::net {

// Keeps the contract of Connection, one reader and one writer at once included: they share a lock
// that is never held while the connection below blocks. Beside its errors there is kTls, which is
// final: a certificate that is not accepted, by either side, or bytes that are not TLS's. An end
// without TLS's own word for it is kReset: somebody may have cut off what came before.
//
// Destroying it tells the peer that the stream ends, unless something of the peer's is unread:
// then the connection is reset, as a kernel does.
class TlsConnection final : public Connection {
 public:
  // `env` must outlive it. `inner` is connected and nothing has been sent on it.
  TlsConnection(Env* env, std::unique_ptr<Connection> inner, std::unique_ptr<TlsSession> session);
  ~TlsConnection() override;

  // To be called once, before all but Shutdown. kTls, and the errors of Read and Write; those of a
  // peer that went say that it was during the handshake. In TLS 1.3 a server that does not accept
  // the client's certificate says so only after the client's handshake is over: then the first Read
  // fails with it.
  absl::Status Handshake(absl::Time deadline);

  absl::Status Write(absl::string_view bytes, absl::Time deadline) override;
  absl::StatusOr<size_t> Read(char* buffer, size_t size_bytes, absl::Time deadline) override;
  absl::Status ShutdownWrite() override;
  void Shutdown() override;
  void ResetOnClose() override;
  const SocketAddress& local_address() const override { return inner_->local_address(); }
  const SocketAddress& peer_address() const override { return inner_->peer_address(); }

 private:
  // With the peer's address.
  absl::Status Located(const absl::Status& status) const;
  absl::Status Ended(absl::string_view what, NetErrorKind kind) const;
  absl::Status SendAll(std::string& out, absl::Time deadline);
  // Waits for bytes of the peer's and hands them to the session.
  absl::Status Receive(absl::Time deadline);
  bool HasUnread();

  const std::unique_ptr<Connection> inner_;
  const std::unique_ptr<Monitor> owned_monitor_;
  Monitor* const monitor_;
  const std::unique_ptr<TlsSession> session_ ABSL_PT_GUARDED_BY(monitor_);
  std::atomic<bool> shut_down_ = false;
  bool resets_ = false;
  bool writing_ ABSL_GUARDED_BY(monitor_) = false;  // A piece of a Write is on its way.
  bool write_ended_ ABSL_GUARDED_BY(monitor_) = false;
  bool shaken_ = false;
};

}  // namespace rollcall::net

#endif  // ROLLCALL_NET_TLS_TLS_CONNECTION_H_
