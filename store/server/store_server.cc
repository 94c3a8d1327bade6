#include "store/server/store_server.h"

#include <sys/resource.h>

#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/strings/str_cat.h"
#include "glog/logging.h"
#include "net/address.h"
#include "net/event_loop.h"
#include "net/monitor.h"
#include "net/net_error.h"
#include "store/dist_error.h"
#include "store/error_code.h"
#include "store/server/capacity_warnings.h"
#include "store/server/server_core.h"

namespace rollcall {
namespace {

class ThreadedStoreServer final : public StoreServer {
 public:
  ThreadedStoreServer(net::Env& env, std::unique_ptr<net::EventLoop> loop,
                      const ServerOptions& options)
      : loop_(std::move(loop)),
        core_(std::make_unique<ServerCore>(loop_.get(), options)),
        owned_monitor_(env.NewMonitor()),
        monitor_(owned_monitor_.get()),
        thread_(env.StartThread("store_server", [this] {
          if (AwaitBeginning()) loop_->Run();
        })) {}

  ~ThreadedStoreServer() override { Stop(); }

  // Before anything is listened on, so that no failure of what comes first costs a listen_fd.
  bool has_thread() const { return thread_ != nullptr; }

  absl::Status Listen(const std::vector<net::SocketAddress>& addresses) {
    if (absl::Status listens = core_->Listen(addresses); !listens.ok()) return listens;
    address_ = core_->addresses().front();
    net::MonitorLock lock(monitor_);
    state_ = State::kServing;
    monitor_->NotifyAll();
    return absl::OkStatus();
  }

  void Stop() override {
    {
      net::MonitorLock lock(monitor_);
      if (state_ == State::kStopping || state_ == State::kStopped) {
        while (state_ != State::kStopped) monitor_->WaitUntil(absl::InfiniteFuture());
        return;
      }
      if (state_ == State::kServing) {
        loop_->Post([this] { core_->Shutdown([this] { loop_->Stop(); }); });
      }
      state_ = State::kStopping;
      monitor_->NotifyAll();
    }
    thread_.reset();
    net::MonitorLock lock(monitor_);
    state_ = State::kStopped;
    monitor_->NotifyAll();
  }

  uint16_t port() const override { return address_.port(); }
  std::string address() const override { return address_.ToString(); }
  net::EventLoopKind event_loop() const override { return loop_->kind(); }
  ServerStats stats() const override { return core_->stats(); }

 private:
  enum class State { kStarting, kServing, kStopping, kStopped };

  // True once there is something to serve; false if there will be nothing. A server that was told
  // to stop before its thread came this far still has its shutdown to run.
  bool AwaitBeginning() {
    net::MonitorLock lock(monitor_);
    while (state_ == State::kStarting) monitor_->WaitUntil(absl::InfiniteFuture());
    return address_.is_valid();
  }

  const std::unique_ptr<net::EventLoop> loop_;
  const std::unique_ptr<ServerCore> core_;  // Goes before the loop that it runs on.
  net::SocketAddress address_;              // Set once, before the thread looks at it.

  const std::unique_ptr<net::Monitor> owned_monitor_;
  net::Monitor* const monitor_;
  State state_ ABSL_GUARDED_BY(monitor_) = State::kStarting;
  std::unique_ptr<net::Thread> thread_;  // Last: it uses all of the above.
};

void WarnOfSmallLimits(net::Env& env, int expected_clients) {
  MachineLimits limits;
  limits.listen_backlog_max = env.MaxListenBacklog();
  rlimit descriptors = {};
  if (getrlimit(RLIMIT_NOFILE, &descriptors) == 0) limits.descriptors_max = descriptors.rlim_cur;
  for (const std::string& warning : CapacityWarnings(expected_clients, limits)) {
    LOG(WARNING) << warning;
  }
}

// The same error, told as a user met it: with what was asked for, and the remedy where there is
// one.
absl::Status ListenError(const ServerOptions& options, const absl::Status& cause) {
  const std::string asked =
      options.listen_fd >= 0 ? absl::StrCat("descriptor ", options.listen_fd)
      : options.host.empty() ? absl::StrCat("port ", options.port, " on all interfaces")
                             : net::Endpoint{.host = options.host, .port = options.port}.ToString();
  std::string message = absl::StrCat("the store server cannot listen on ", asked, ": ");
  const std::optional<net::NetErrorInfo> info = net::GetNetErrorInfo(cause);
  if (info.has_value() && info->kind == net::NetErrorKind::kAddressInUse) {
    absl::StrAppend(&message, "address already in use; end what listens there, or ask for another ",
                    "port (0 picks a free one): ");
  }
  // The words for a connection that broke are none for a server that never had one.
  if (CodeOf(cause) == ErrorCode::kConnectionLost) {
    return StoreStatus(ErrorCode::kCannotListen, absl::StrCat(message, cause.message()),
                       {.operation = "listen"});
  }
  absl::Status told(cause.code(), absl::StrCat(message, cause.message()));
  cause.ForEachPayload([&told](absl::string_view type_url, const absl::Cord& payload) {
    told.SetPayload(type_url, payload);
  });
  return told;
}

// No addresses where options ask for all interfaces.
absl::StatusOr<std::vector<net::SocketAddress>> Addresses(net::Env& env,
                                                          const ServerOptions& options) {
  if (options.host.empty()) return std::vector<net::SocketAddress>();
  return env.Resolve({.host = options.host, .port = options.port},
                     net::DeadlineAfter(env, StoreServer::kResolveTimeout));
}

}  // namespace

absl::StatusOr<std::unique_ptr<StoreServer>> StoreServer::Start(net::Env& env,
                                                                const ServerOptions& options) {
  if (absl::Status valid = ValidateServerOptions(options); !valid.ok()) return valid;
  WarnOfSmallLimits(env, options.expected_clients);
  const absl::StatusOr<std::vector<net::SocketAddress>> addresses = Addresses(env, options);
  if (!addresses.ok()) return ListenError(options, addresses.status());
  absl::StatusOr<std::unique_ptr<net::EventLoop>> loop = env.NewEventLoop(options.event_loop);
  if (!loop.ok()) return ListenError(options, loop.status());
  auto server = std::make_unique<ThreadedStoreServer>(env, *std::move(loop), options);
  if (!server->has_thread()) {
    return StoreStatus(
        ErrorCode::kResourceExhausted,
        "the store server cannot have a thread of its own: the system gives this process no more; "
        "see ulimit -u and the container's limit of processes",
        {.operation = "listen"});
  }
  if (absl::Status listens = server->Listen(*addresses); !listens.ok()) {
    return ListenError(options, listens);
  }
  return server;
}

}  // namespace rollcall
