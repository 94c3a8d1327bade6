#include "testing/tls_env.h"

#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "glog/logging.h"
#include "net/monitor.h"
#include "net/tls/tls_connection.h"
#include "net/tls/tls_session.h"
#include "net/tls/tls_stream.h"

namespace rollcall {
namespace {

constexpr absl::Duration kPatience = absl::Seconds(60);

class ShakenConnection final : public net::Connection {
 public:
  ShakenConnection(net::Env& env, std::unique_ptr<net::Connection> inner,
                   std::unique_ptr<net::TlsSession> session)
      : owned_monitor_(env.NewMonitor()),
        monitor_(owned_monitor_.get()),
        connection_(&env, std::move(inner), std::move(session)),
        thread_(env.StartThread("handshake", [this, &env] {
          absl::Status shaken = connection_.Handshake(env.Now() + kPatience);
          net::MonitorLock lock(monitor_);
          shaken_ = std::move(shaken);
          monitor_->NotifyAll();
        })) {}

  ~ShakenConnection() override {
    bool is_over;
    {
      net::MonitorLock lock(monitor_);
      is_over = shaken_.has_value();
    }
    if (!is_over) connection_.Shutdown();
    thread_.reset();
  }

  absl::Status Write(absl::string_view bytes, absl::Time deadline) override {
    if (absl::Status shaken = Shaken(); !shaken.ok()) return shaken;
    return connection_.Write(bytes, deadline);
  }
  absl::StatusOr<size_t> Read(char* buffer, size_t size_bytes, absl::Time deadline) override {
    if (absl::Status shaken = Shaken(); !shaken.ok()) return shaken;
    return connection_.Read(buffer, size_bytes, deadline);
  }
  absl::Status ShutdownWrite() override {
    if (absl::Status shaken = Shaken(); !shaken.ok()) return shaken;
    return connection_.ShutdownWrite();
  }
  void Shutdown() override { connection_.Shutdown(); }
  void ResetOnClose() override {
    Shaken().IgnoreError();
    connection_.ResetOnClose();
  }
  const net::SocketAddress& local_address() const override { return connection_.local_address(); }
  const net::SocketAddress& peer_address() const override { return connection_.peer_address(); }

  absl::Status Shaken() {
    net::MonitorLock lock(monitor_);
    while (!shaken_.has_value()) monitor_->WaitUntil(absl::InfiniteFuture());
    return *shaken_;
  }

 private:
  const std::unique_ptr<net::Monitor> owned_monitor_;
  net::Monitor* const monitor_;
  std::optional<absl::Status> shaken_ ABSL_GUARDED_BY(monitor_);
  net::TlsConnection connection_;
  std::unique_ptr<net::Thread> thread_;  // Last: it uses all of the above.
};

class TlsListeningSocket final : public net::ListeningSocket {
 public:
  TlsListeningSocket(net::Env& env, std::unique_ptr<net::ListeningSocket> inner,
                     std::shared_ptr<const net::TlsContext> context)
      : env_(env), inner_(std::move(inner)), context_(std::move(context)) {}

  absl::StatusOr<std::unique_ptr<net::Connection>> Accept(absl::Time deadline) override {
    absl::StatusOr<std::unique_ptr<net::Connection>> accepted = inner_->Accept(deadline);
    if (!accepted.ok()) return accepted;
    auto connection = std::make_unique<ShakenConnection>(
        env_, *std::move(accepted), net::TlsSession::ForServer(context_, env_.Now()));
    if (absl::Status shaken = connection->Shaken(); !shaken.ok()) return shaken;
    return connection;
  }
  const net::SocketAddress& address() const override { return inner_->address(); }
  int fd() const override { return inner_->fd(); }
  int Release() override { return inner_->Release(); }

 private:
  net::Env& env_;
  const std::unique_ptr<net::ListeningSocket> inner_;
  const std::shared_ptr<const net::TlsContext> context_;
};

class TlsEventLoop final : public net::EventLoop {
 public:
  TlsEventLoop(std::unique_ptr<net::EventLoop> inner,
               std::shared_ptr<const net::TlsContext> context)
      : acceptor_(inner.get()), context_(std::move(context)), inner_(std::move(inner)) {}

  void Run() override { inner_->Run(); }
  void Stop() override { inner_->Stop(); }
  void Post(absl::AnyInvocable<void()> work) override { inner_->Post(std::move(work)); }
  absl::Time Now() override { return inner_->Now(); }
  net::TimerId RunAt(absl::Time when, absl::AnyInvocable<void()> work) override {
    return inner_->RunAt(when, std::move(work));
  }
  void CancelTimer(net::TimerId timer) override { inner_->CancelTimer(timer); }
  absl::StatusOr<std::unique_ptr<net::Listener>> Listen(const net::ListenOptions& options,
                                                        net::AcceptCallback on_accept) override {
    return inner_->Listen(options, [this, on_accept = std::move(on_accept)](
                                       std::unique_ptr<net::Stream> stream) mutable {
      on_accept(acceptor_.Wrap(std::move(stream), context_));
    });
  }
  net::EventLoopKind kind() const override { return inner_->kind(); }

 private:
  net::TlsAcceptor acceptor_;
  const std::shared_ptr<const net::TlsContext> context_;
  // Goes first: work that is posted may own streams.
  const std::unique_ptr<net::EventLoop> inner_;
};

}  // namespace

TlsEnv::TlsEnv(net::Env* target) : target_(*target) {
  const TlsAuthority authority(target_.Now());
  const TlsIdentity server = authority.Issue();
  const TlsIdentity client = authority.Issue();
  server_ = *net::TlsContext::ForServer({.certificate_chain = server.certificate,
                                         .private_key = server.private_key,
                                         .client_ca = authority.certificate()});
  client_ = *net::TlsContext::ForClient({.ca = authority.certificate(),
                                         .certificate_chain = client.certificate,
                                         .private_key = client.private_key});
}

absl::StatusOr<std::unique_ptr<net::Connection>> TlsEnv::ConnectAny(
    absl::Span<const net::SocketAddress> addresses, absl::Time deadline) {
  absl::StatusOr<std::unique_ptr<net::Connection>> inner = target_.ConnectAny(addresses, deadline);
  if (!inner.ok()) return inner;
  absl::StatusOr<std::unique_ptr<net::TlsSession>> session =
      net::TlsSession::ForClient(client_, "localhost", Now());
  CHECK(session.ok()) << session.status();
  return std::make_unique<ShakenConnection>(target_, *std::move(inner), *std::move(session));
}

absl::StatusOr<std::unique_ptr<net::ListeningSocket>> TlsEnv::Listen(
    const net::Endpoint& endpoint) {
  absl::StatusOr<std::unique_ptr<net::ListeningSocket>> inner = target_.Listen(endpoint);
  if (!inner.ok()) return inner;
  return std::make_unique<TlsListeningSocket>(target_, *std::move(inner), server_);
}

absl::StatusOr<std::unique_ptr<net::EventLoop>> TlsEnv::NewEventLoop(net::EventLoopKind kind) {
  absl::StatusOr<std::unique_ptr<net::EventLoop>> inner = target_.NewEventLoop(kind);
  if (!inner.ok()) return inner;
  return std::make_unique<TlsEventLoop>(*std::move(inner), server_);
}

}  // namespace rollcall
