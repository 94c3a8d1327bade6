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
#include "store/server/capacity_warnings.h"
#include "store/server/server_core.h"

namespace rollcall {
namespace {

class ThreadedStoreServer final : public StoreServer {
 public:
  // `*core` listens already; it runs on `*loop`.
  ThreadedStoreServer(net::Env& env, std::unique_ptr<net::EventLoop> loop,
                      std::unique_ptr<ServerCore> core)
      : kind_(loop->kind()),
        address_(core->addresses().front()),
        loop_(std::move(loop)),
        core_(std::move(core)),
        owned_monitor_(env.NewMonitor()),
        monitor_(owned_monitor_.get()),
        thread_(env.StartThread("store_server", [this] { loop_->Run(); })) {}

  ~ThreadedStoreServer() override { Stop(); }

  void Stop() override {
    {
      net::MonitorLock lock(monitor_);
      if (stopping_) {
        while (!stopped_) monitor_->WaitUntil(absl::InfiniteFuture());
        return;
      }
      stopping_ = true;
    }
    loop_->Post([this] { core_->Shutdown([this] { loop_->Stop(); }); });
    thread_.reset();
    net::MonitorLock lock(monitor_);
    stopped_ = true;
    monitor_->NotifyAll();
  }

  uint16_t port() const override { return address_.port(); }
  std::string address() const override { return address_.ToString(); }
  net::EventLoopKind event_loop() const override { return kind_; }
  ServerStats stats() const override { return core_->stats(); }

 private:
  const net::EventLoopKind kind_;
  const net::SocketAddress address_;
  const std::unique_ptr<net::EventLoop> loop_;
  const std::unique_ptr<ServerCore> core_;  // Goes before the loop that it runs on.

  const std::unique_ptr<net::Monitor> owned_monitor_;
  net::Monitor* const monitor_;
  bool stopping_ ABSL_GUARDED_BY(monitor_) = false;
  bool stopped_ ABSL_GUARDED_BY(monitor_) = false;
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
  if (!loop.ok()) return loop.status();
  auto core = std::make_unique<ServerCore>(loop->get(), options);
  if (absl::Status listens = core->Listen(*addresses); !listens.ok()) {
    return ListenError(options, listens);
  }
  return std::make_unique<ThreadedStoreServer>(env, *std::move(loop), std::move(core));
}

}  // namespace rollcall
