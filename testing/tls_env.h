// An Env all of whose connections are encrypted, so that the suites for plain ones run on these.
#ifndef ROLLCALL_TESTING_TLS_ENV_H_
#define ROLLCALL_TESTING_TLS_ENV_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "net/env.h"
#include "net/tls/tls_context.h"
#include "testing/tls_authority.h"

namespace rollcall {

// Everything but connections is `target`'s. Both sides trust each other; the client's side shakes
// hands in a thread of its own, and so does that of a ListeningSocket, so that one test can hold
// both ends: each call waits until that is over. Streams of its event loops are those of
// net::TlsAcceptor.
class TlsEnv final : public net::Env {
 public:
  // `*target` must outlive it.
  explicit TlsEnv(net::Env* target);

  absl::Time Now() override { return target_.Now(); }
  void SleepUntil(absl::Time deadline) override { target_.SleepUntil(deadline); }
  std::unique_ptr<net::Thread> StartThread(std::string name,
                                           absl::AnyInvocable<void()> body) override {
    return target_.StartThread(std::move(name), std::move(body));
  }
  std::unique_ptr<net::Monitor> NewMonitor() override { return target_.NewMonitor(); }
  absl::StatusOr<std::vector<net::SocketAddress>> Resolve(const net::Endpoint& endpoint,
                                                          absl::Time deadline) override {
    return target_.Resolve(endpoint, deadline);
  }
  absl::StatusOr<std::unique_ptr<net::Connection>> ConnectAny(
      absl::Span<const net::SocketAddress> addresses, absl::Time deadline) override;
  absl::StatusOr<std::unique_ptr<net::ListeningSocket>> Listen(
      const net::Endpoint& endpoint) override;
  absl::StatusOr<std::unique_ptr<net::EventLoop>> NewEventLoop(net::EventLoopKind kind) override;
  uint64_t RandomBits() override { return target_.RandomBits(); }
  std::optional<std::string> GetEnvironmentVariable(const std::string& name) override {
    return target_.GetEnvironmentVariable(name);
  }
  int ProcessId() override { return target_.ProcessId(); }
  std::string HostName() override { return target_.HostName(); }
  std::optional<int> MaxListenBacklog() override { return target_.MaxListenBacklog(); }

 private:
  net::Env& target_;
  std::shared_ptr<const net::TlsContext> server_;
  std::shared_ptr<const net::TlsContext> client_;
};

}  // namespace rollcall

#endif  // ROLLCALL_TESTING_TLS_ENV_H_
