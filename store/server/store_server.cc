#include "store/server/store_server.h"

#include <sys/resource.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/functional/function_ref.h"
#include "absl/strings/str_cat.h"
#include "glog/logging.h"
#include "net/address.h"
#include "net/event_loop.h"
#include "net/monitor.h"
#include "net/net_error.h"
#include "store/dist_error.h"
#include "store/error_code.h"
#include "store/server/capacity_warnings.h"
#include "store/server/server_cores.h"
#include "store/server/server_security.h"
#include "store/server/snapshot_parts.h"
#include "store/server/token_table.h"

namespace rollcall {
namespace {

using Loops = std::vector<std::unique_ptr<net::EventLoop>>;

// What one thread asks of another, and stops waiting for at some time.
class Question {
 public:
  explicit Question(net::Env& env)
      : owned_monitor_(env.NewMonitor()), monitor_(owned_monitor_.get()) {}

  // `answer` is not called once nobody waits for it any more.
  void Answer(absl::FunctionRef<void()> answer) {
    net::MonitorLock lock(monitor_);
    if (abandoned_) return;
    answer();
    answered_ = true;
    monitor_->NotifyAll();
  }

  bool AwaitAnswer(absl::Time deadline) {
    net::MonitorLock lock(monitor_);
    while (!answered_ && monitor_->WaitUntil(deadline)) {
    }
    abandoned_ = !answered_;
    return answered_;
  }

 private:
  const std::unique_ptr<net::Monitor> owned_monitor_;
  net::Monitor* const monitor_;
  bool answered_ ABSL_GUARDED_BY(monitor_) = false;
  bool abandoned_ ABSL_GUARDED_BY(monitor_) = false;
};

class ThreadedStoreServer final : public StoreServer {
 public:
  ThreadedStoreServer(net::Env& env, Loops loops, const ServerOptions& options,
                      std::unique_ptr<ServerSecurity> security,
                      std::unique_ptr<ServerEngine> engine)
      : env_(env),
        security_(std::move(security)),
        engine_(std::move(engine)),
        loops_(std::move(loops)),
        cores_(ServerLoops(), options, options.measure_latencies ? &env : nullptr, security_.get()),
        owned_monitor_(env.NewMonitor()),
        monitor_(owned_monitor_.get()) {
    for (size_t i = 0; i < loops_.size(); ++i) {
      net::EventLoop* const loop = loops_[i].get();
      const std::string name = i == 0 ? "store_server" : absl::StrCat("store_server", i);
      threads_.push_back(env.StartThread(name, [this, loop] {
        if (AwaitBeginning()) loop->Run();
      }));
    }
  }

  ~ThreadedStoreServer() override { Stop(); }

  // Before anything is listened on, so that no failure of what comes first costs a listen_fd.
  bool has_threads() const {
    return std::find(threads_.begin(), threads_.end(), nullptr) == threads_.end();
  }

  absl::Status ListenTls(const std::vector<net::SocketAddress>& addresses) {
    if (absl::Status listens = cores_.ListenTls(addresses); !listens.ok()) return listens;
    tls_address_ = cores_.tls_addresses().front();
    return absl::OkStatus();
  }

  absl::Status ListenForNameSpace(size_t index, const std::vector<net::SocketAddress>& addresses) {
    if (absl::Status listens = cores_.ListenForNameSpace(index, addresses); !listens.ok()) {
      return listens;
    }
    name_space_addresses_.push_back(cores_.name_space_addresses(index).front());
    return absl::OkStatus();
  }

  // The last of the three.
  absl::Status Listen(const std::vector<net::SocketAddress>& addresses) {
    if (absl::Status listens = cores_.Listen(addresses); !listens.ok()) return listens;
    address_ = cores_.addresses().front();
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
        loops_[0]->Post([this] { cores_.Shutdown([](net::EventLoop* loop) { loop->Stop(); }); });
      }
      state_ = State::kStopping;
      monitor_->NotifyAll();
    }
    threads_.clear();
    net::MonitorLock lock(monitor_);
    state_ = State::kStopped;
    monitor_->NotifyAll();
  }

  absl::Status Reload() override { return security_->Reload(); }

  uint16_t port() const override { return address_.port(); }
  std::string address() const override { return address_.ToString(); }
  std::optional<uint16_t> tls_port() const override {
    if (!tls_address_.is_valid()) return std::nullopt;
    return tls_address_.port();
  }
  std::string tls_address() const override {
    return tls_address_.is_valid() ? tls_address_.ToString() : "";
  }
  std::vector<net::SocketAddress> name_space_addresses() const override {
    return name_space_addresses_;
  }
  net::EventLoopKind event_loop() const override { return loops_[0]->kind(); }
  ServerStats stats() const override { return cores_.stats(); }

  absl::StatusOr<ServerSnapshot> Snapshot(absl::Time deadline) override {
    std::vector<LoopSnapshot> parts(loops_.size());
    std::vector<EngineSnapshot> engine;
    absl::Status asked = AskLoops(deadline, [&](size_t loop) {
      parts[loop] = cores_.SnapshotOfLoop(loop);
      if (loop == 0) engine = cores_.SnapshotOfEngine();
    });
    if (!asked.ok()) return asked;
    ServerSnapshot snapshot = cores_.Complete(engine, parts, env_.Now());
    snapshot.journal = engine_->journal();
    return snapshot;
  }

  absl::Status CheckAlive(absl::Time deadline) override {
    return AskLoops(deadline, [](size_t /*loop*/) {});
  }

 private:
  enum class State { kStarting, kServing, kStopping, kStopped };

  // Has each loop's thread call `answer` with its number.
  absl::Status AskLoops(absl::Time deadline, absl::FunctionRef<void(size_t)> answer) {
    {
      net::MonitorLock lock(monitor_);
      if (state_ != State::kServing) return absl::UnavailableError("the server is stopping");
    }
    const absl::Time asked = env_.Now();
    std::vector<std::shared_ptr<Question>> questions;
    for (size_t i = 0; i < loops_.size(); ++i) {
      questions.push_back(std::make_shared<Question>(env_));
      loops_[i]->Post(
          [question = questions[i], answer, i] { question->Answer([&] { answer(i); }); });
    }
    size_t silent = 0;  // All are waited for: what `answer` refers to is gone when this returns.
    for (const std::shared_ptr<Question>& question : questions) {
      if (!question->AwaitAnswer(deadline)) ++silent;
    }
    if (silent == 0) return absl::OkStatus();
    return absl::DeadlineExceededError(absl::StrCat(
        silent, " of ", loops_.size(), loops_.size() == 1 ? " event loop" : " event loops",
        " did not answer in ", absl::FormatDuration(env_.Now() - asked)));
  }

  std::vector<ServerLoop> ServerLoops() const {
    std::vector<ServerLoop> loops;
    for (size_t i = 0; i < loops_.size(); ++i) {
      loops.push_back({.loop = loops_[i].get(), .engine = engine_->port(i)});
    }
    return loops;
  }

  // True once there is something to serve; false if there will be nothing. A server that was told
  // to stop before its thread came this far still has its shutdown to run.
  bool AwaitBeginning() {
    net::MonitorLock lock(monitor_);
    while (state_ == State::kStarting) monitor_->WaitUntil(absl::InfiniteFuture());
    return address_.is_valid();
  }

  net::Env& env_;
  const std::unique_ptr<ServerSecurity> security_;
  const std::unique_ptr<ServerEngine> engine_;
  const Loops loops_;
  ServerCores cores_;               // Goes before the loops that it runs on.
  net::SocketAddress address_;      // Set once, before the threads look at it.
  net::SocketAddress tls_address_;  // Set before that, if at all, as is ...
  std::vector<net::SocketAddress> name_space_addresses_;

  const std::unique_ptr<net::Monitor> owned_monitor_;
  net::Monitor* const monitor_;
  State state_ ABSL_GUARDED_BY(monitor_) = State::kStarting;
  std::vector<std::unique_ptr<net::Thread>> threads_;  // Last: they use all of the above.
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

// Beside a port with TLS, one without is for this host alone unless its user says otherwise.
std::string PlainHost(const ServerOptions& options, const std::string& host) {
  return host.empty() && options.tls_port.has_value() ? "localhost" : host;
}

std::string PlaceAsked(const std::string& host, uint16_t port) {
  if (host.empty()) return absl::StrCat("port ", port, " on all interfaces");
  return net::Endpoint{.host = host, .port = port}.ToString();
}

// What `options` ask to listen on, for their port and for their tls_port.
std::string Asked(const ServerOptions& options) {
  if (options.listen_fd >= 0) return absl::StrCat("descriptor ", options.listen_fd);
  return PlaceAsked(PlainHost(options, options.host), options.port);
}
std::string Asked(const ServerOptions& options, const ServerOptions::NameSpacePort& port) {
  return absl::StrCat(PlaceAsked(PlainHost(options, port.host), port.port), " for the name space ",
                      port.name_space);
}
std::string AskedTls(const ServerOptions& options) {
  return PlaceAsked(options.tls_host, *options.tls_port);
}

// The same error, told as a user met it: with what was asked for, and the remedy where there is
// one.
absl::Status ListenError(const std::string& asked, const absl::Status& cause) {
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

// No addresses where all interfaces are asked for.
absl::StatusOr<std::vector<net::SocketAddress>> Addresses(net::Env& env, const std::string& host,
                                                          uint16_t port) {
  if (host.empty()) return std::vector<net::SocketAddress>();
  return env.Resolve({.host = host, .port = port},
                     net::DeadlineAfter(env, StoreServer::kResolveTimeout));
}

// Where to listen; the failures of finding out are told as those of listening.
struct Places {
  std::vector<net::SocketAddress> plain;
  std::vector<net::SocketAddress> tls;
  std::vector<std::vector<net::SocketAddress>> name_spaces;
};
absl::StatusOr<Places> FindPlaces(net::Env& env, const ServerOptions& options) {
  Places places;
  absl::StatusOr<std::vector<net::SocketAddress>> found =
      Addresses(env, options.listen_fd >= 0 ? "" : PlainHost(options, options.host), options.port);
  if (!found.ok()) return ListenError(Asked(options), found.status());
  places.plain = *std::move(found);
  for (const ServerOptions::NameSpacePort& port : options.name_space_ports) {
    found = Addresses(env, PlainHost(options, port.host), port.port);
    if (!found.ok()) return ListenError(Asked(options, port), found.status());
    places.name_spaces.push_back(*std::move(found));
  }
  if (!options.tls_port.has_value()) return places;
  found = Addresses(env, options.tls_host, *options.tls_port);
  if (!found.ok()) return ListenError(AskedTls(options), found.status());
  places.tls = *std::move(found);
  return places;
}

absl::Status ListenOnAll(const ServerOptions& options, const Places& places,
                         ThreadedStoreServer& server) {
  if (options.tls_port.has_value()) {
    absl::Status listens = server.ListenTls(places.tls);
    if (!listens.ok()) return ListenError(AskedTls(options), listens);
  }
  for (size_t i = 0; i < places.name_spaces.size(); ++i) {
    absl::Status listens = server.ListenForNameSpace(i, places.name_spaces[i]);
    if (!listens.ok()) return ListenError(Asked(options, options.name_space_ports[i]), listens);
  }
  absl::Status listens = server.Listen(places.plain);
  return listens.ok() ? listens : ListenError(Asked(options), listens);
}

absl::StatusOr<std::unique_ptr<ServerEngine>> NewEngine(net::Env& env, const ServerOptions& options,
                                                        const ServerEngineFactory& new_engine) {
  const auto loops = static_cast<size_t>(options.io_threads);
  if (!new_engine) return LimitedMemoryEngine(options.store_limits)(env, loops);
  absl::StatusOr<std::unique_ptr<ServerEngine>> engine = new_engine(env, loops);
  if (!engine.ok()) return engine;
  if (options.HasNameSpaces() && !(*engine)->has_name_spaces()) {
    return absl::InvalidArgumentError(
        "the server's engine keeps no name spaces apart: each job needs a server of its own");
  }
  if (options.store_limits.any() && !(*engine)->has_limits()) {
    return absl::InvalidArgumentError("the server's engine keeps no limits on what is stored");
  }
  return engine;
}

// A quota that nobody's name has is a name that was misspelt.
absl::Status CheckQuotas(const ServerOptions& options, const ServerSecurity& security) {
  const std::shared_ptr<const TokenTable> tokens =
      options.name_space_per_token ? security.tokens() : nullptr;
  for (const auto& [name, quota] : options.store_limits.own) {
    const auto is_its = [&name = name](const ServerOptions::NameSpacePort& port) {
      return port.name_space == name;
    };
    const bool is_known =
        name.empty() || (tokens != nullptr && tokens->HasName(name)) ||
        std::any_of(options.name_space_ports.begin(), options.name_space_ports.end(), is_its);
    if (is_known) continue;
    return absl::InvalidArgumentError(
        absl::StrCat("there is a quota for the name space ", name, ", and no port",
                     tokens == nullptr ? "" : " or token", " of that name"));
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::unique_ptr<StoreServer>> StoreServer::Start(
    net::Env& env, const ServerOptions& options, const ServerEngineFactory& new_engine) {
  if (absl::Status valid = ValidateServerOptions(options); !valid.ok()) return valid;
  absl::StatusOr<std::unique_ptr<ServerSecurity>> security = ServerSecurity::Load(env, options);
  if (!security.ok()) return security.status();
  if (absl::Status valid = CheckQuotas(options, **security); !valid.ok()) return valid;
  WarnOfSmallLimits(env, options.expected_clients);
  const absl::StatusOr<Places> places = FindPlaces(env, options);
  if (!places.ok()) return places.status();
  absl::StatusOr<std::unique_ptr<ServerEngine>> engine = NewEngine(env, options, new_engine);
  if (!engine.ok()) return engine.status();
  Loops loops;
  for (int i = 0; i < options.io_threads; ++i) {
    absl::StatusOr<std::unique_ptr<net::EventLoop>> loop = env.NewEventLoop(options.event_loop);
    if (!loop.ok()) return ListenError(Asked(options), loop.status());
    loops.push_back(*std::move(loop));
  }
  auto server = std::make_unique<ThreadedStoreServer>(env, std::move(loops), options,
                                                      *std::move(security), *std::move(engine));
  if (!server->has_threads()) {
    return StoreStatus(ErrorCode::kResourceExhausted,
                       "the store server cannot have the threads that it needs: the system gives "
                       "this process no more; "
                       "see ulimit -u and the container's limit of processes",
                       {.operation = "listen"});
  }
  if (absl::Status listens = ListenOnAll(options, *places, *server); !listens.ok()) return listens;
  return server;
}

}  // namespace rollcall
