#include "fault_injection/proxy/fault_proxy.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/types/span.h"
#include "fault_injection/proxy/proxy_route.h"
#include "glog/logging.h"
#include "net/address.h"
#include "net/epoll_loop.h"

namespace rollcall::fault {
namespace {

constexpr size_t kBufferBytes = 256 << 10;
constexpr absl::Duration kLookUpMax = absl::Seconds(5);

absl::StatusOr<net::SocketAddress> FirstAddress(net::Env& env, const net::Endpoint& endpoint) {
  const absl::StatusOr<std::vector<net::SocketAddress>> addresses =
      env.Resolve(endpoint, env.Now() + kLookUpMax);
  if (!addresses.ok()) return addresses.status();
  return addresses->front();
}

}  // namespace

// --- Life ---

absl::StatusOr<std::unique_ptr<FaultProxy>> FaultProxy::Start(net::Env& env,
                                                              net::Syscalls* syscalls,
                                                              const std::vector<Route>& routes) {
  absl::StatusOr<std::unique_ptr<net::EpollLoop>> loop = net::EpollLoop::New(syscalls, &env);
  if (!loop.ok()) return loop.status();
  std::unique_ptr<FaultProxy> proxy(new FaultProxy(&env, *std::move(loop)));
  if (absl::Status added = proxy->AddRoutes(routes); !added.ok()) return added;
  if (absl::Status runs = proxy->Run(); !runs.ok()) return runs;
  return proxy;
}

FaultProxy::FaultProxy(net::Env* env, std::unique_ptr<net::SocketLoop> loop)
    : env_(*env),
      monitor_(env->NewMonitor()),
      buffer_(std::make_unique_for_overwrite<char[]>(kBufferBytes)),
      loop_(std::move(loop)) {}

FaultProxy::~FaultProxy() { Stop(); }

absl::Status FaultProxy::AddRoutes(const std::vector<Route>& routes) {
  for (const Route& route : routes) {
    if (route.name.empty() || HasRoute(route.name)) {
      return absl::InvalidArgumentError(
          absl::StrCat("a route of a fault proxy is named \"", route.name,
                       "\"; each needs a name of its own, and \"\" means all of them"));
    }
    absl::StatusOr<net::SocketAddress> listen_at =
        FirstAddress(env_, {.host = route.listen_host, .port = route.port});
    if (!listen_at.ok()) return listen_at.status();
    const absl::StatusOr<net::SocketAddress> target = FirstAddress(env_, route.target);
    if (!target.ok()) return target.status();
    routes_.push_back(std::make_unique<ProxyRoute>(loop_.get(), &env_, route,
                                                   absl::MakeSpan(buffer_.get(), kBufferBytes),
                                                   [this] { OnSettled(); }));
    if (absl::Status begun = routes_.back()->Begin(*listen_at, *target); !begun.ok()) return begun;
    ports_[route.name] = routes_.back()->port();
  }
  return absl::OkStatus();
}

absl::Status FaultProxy::Run() {
  const net::MonitorLock lock(monitor_.get());
  for (const std::unique_ptr<ProxyRoute>& route : routes_) unsettled_ += !route->is_settled();
  thread_ = env_.StartThread("fault-proxy", [this] { loop_->Run(); });
  if (thread_ == nullptr) {
    return absl::ResourceExhaustedError("the system has no thread to give for a fault proxy");
  }
  while (unsettled_ > 0) monitor_->WaitUntil(absl::InfiniteFuture());
  return absl::OkStatus();
}

void FaultProxy::OnSettled() {
  const net::MonitorLock lock(monitor_.get());
  if (--unsettled_ == 0) monitor_->NotifyAll();
}

void FaultProxy::Stop() {
  {
    const net::MonitorLock lock(monitor_.get());
    if (std::exchange(is_stopped_, true)) return;
  }
  if (thread_ != nullptr) {
    loop_->Stop();
    thread_.reset();
  }
  {
    const net::MonitorLock lock(monitor_.get());
    for (const std::unique_ptr<ProxyRoute>& route : routes_) {
      last_stats_[route->name()] = route->stats();
    }
  }
  routes_.clear();
  loop_.reset();
}

void FaultProxy::Do(absl::AnyInvocable<void()> command) {
  // Shared, since a fiber that waits here may be killed while the proxy lives on.
  const auto is_done = std::make_shared<bool>(false);
  const net::MonitorLock lock(monitor_.get());
  if (is_stopped_) return;
  loop_->Post([this, is_done, command = std::move(command)]() mutable {
    command();
    const net::MonitorLock done_lock(monitor_.get());
    *is_done = true;
    monitor_->NotifyAll();
  });
  while (!*is_done) monitor_->WaitUntil(absl::InfiniteFuture());
}

// --- Routes ---

bool FaultProxy::HasRoute(absl::string_view name) const {
  return ports_.find(std::string(name)) != ports_.end();
}

uint16_t FaultProxy::port(absl::string_view name) const {
  const auto found = ports_.find(std::string(name));
  CHECK(found != ports_.end()) << "the fault proxy has no route " << name;
  return found->second;
}

ProxyRoute* FaultProxy::Find(absl::string_view name) const {
  for (const std::unique_ptr<ProxyRoute>& route : routes_) {
    if (route->name() == name) return route.get();
  }
  return nullptr;
}

void FaultProxy::DoOnRoutes(absl::string_view route,
                            absl::AnyInvocable<void(ProxyRoute&)> command) {
  CHECK(route.empty() || HasRoute(route)) << "the fault proxy has no route " << route;
  Do([this, route = std::string(route), command = std::move(command)]() mutable {
    if (!route.empty()) return command(*Find(route));
    for (const std::unique_ptr<ProxyRoute>& each : routes_) command(*each);
  });
}

RouteStats FaultProxy::stats(absl::string_view name) {
  CHECK(HasRoute(name)) << "the fault proxy has no route " << name;
  const auto stats = std::make_shared<RouteStats>();
  DoOnRoutes(name, [stats](ProxyRoute& route) { *stats = route.stats(); });
  const net::MonitorLock lock(monitor_.get());
  const auto last = last_stats_.find(std::string(name));
  return last != last_stats_.end() ? last->second : *stats;
}

// --- Faults ---

void FaultProxy::SetLatency(absl::string_view route, Direction direction, absl::Duration latency,
                            absl::Duration jitter) {
  DoOnRoutes(route, [=](ProxyRoute& r) {
    r.lane(direction).settings.latency = latency;
    r.lane(direction).settings.jitter = jitter;
    r.Refresh();
  });
}

void FaultProxy::SetRate(absl::string_view route, Direction direction, int64_t bytes_per_second) {
  DoOnRoutes(route, [=](ProxyRoute& r) {
    r.lane(direction).settings.bytes_per_second = bytes_per_second;
    r.Refresh();
  });
}

void FaultProxy::Cut(absl::string_view route, Direction direction) {
  DoOnRoutes(route, [=](ProxyRoute& r) {
    r.lane(direction).settings.is_cut = true;
    r.Refresh();
  });
}

void FaultProxy::Heal(absl::string_view route, Direction direction) {
  DoOnRoutes(route, [=](ProxyRoute& r) {
    r.lane(direction).settings.is_cut = false;
    r.Refresh();
  });
}

void FaultProxy::Slice(absl::string_view route, Direction direction, size_t piece_bytes,
                       absl::Duration pause) {
  DoOnRoutes(route, [=](ProxyRoute& r) {
    r.lane(direction).settings.slice_bytes = piece_bytes;
    r.lane(direction).settings.slice_pause = pause;
    r.Refresh();
  });
}

void FaultProxy::BlackHole(absl::string_view route) {
  DoOnRoutes(route, [](ProxyRoute& r) { r.SetBlackHole(true); });
}

void FaultProxy::HealBlackHole(absl::string_view route) {
  DoOnRoutes(route, [](ProxyRoute& r) { r.SetBlackHole(false); });
}

void FaultProxy::Refuse(absl::string_view route) {
  DoOnRoutes(route, [](ProxyRoute& r) { r.SetRefuses(true); });
}

void FaultProxy::HealRefuse(absl::string_view route) {
  DoOnRoutes(route, [](ProxyRoute& r) { r.SetRefuses(false); });
}

void FaultProxy::Reset(absl::string_view route) {
  DoOnRoutes(route, [](ProxyRoute& r) { r.ResetAll(); });
}

void FaultProxy::LoseSenders(absl::string_view route, Direction direction) {
  DoOnRoutes(route, [=](ProxyRoute& r) { r.LoseSenders(direction); });
}

void FaultProxy::CloseConnections(absl::string_view route) {
  DoOnRoutes(route, [](ProxyRoute& r) { r.CloseAll(); });
}

void FaultProxy::AcceptThenClose(absl::string_view route, Ending ending, int count) {
  CHECK(ending != Ending::kStall) << "a connection is turned away with kFin or kReset";
  DoOnRoutes(route, [=](ProxyRoute& r) { r.TurnAwayNext(ending == Ending::kReset, count); });
}

void FaultProxy::Truncate(absl::string_view route, Direction direction, Spot spot, Ending ending) {
  DoOnRoutes(route, [=](ProxyRoute& r) { r.lane(direction).faults.Truncate(spot, ending); });
}

void FaultProxy::Corrupt(absl::string_view route, Direction direction, Spot spot,
                         uint8_t xor_mask) {
  DoOnRoutes(route, [=](ProxyRoute& r) { r.lane(direction).faults.Corrupt(spot, xor_mask); });
}

void FaultProxy::DuplicateFrame(absl::string_view route, Direction direction, int64_t frame) {
  DoOnRoutes(route, [=](ProxyRoute& r) { r.lane(direction).faults.Duplicate(frame); });
}

void FaultProxy::Coalesce(absl::string_view route, Direction direction, int count) {
  DoOnRoutes(route, [=](ProxyRoute& r) {
    r.lane(direction).settings.coalesced_frames = count;
    r.Refresh();
  });
}

void FaultProxy::HealAll(absl::string_view route) {
  DoOnRoutes(route, [](ProxyRoute& r) { r.HealAll(); });
}

}  // namespace rollcall::fault
