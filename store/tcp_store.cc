#include "store/tcp_store.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "glog/logging.h"
#include "net/net_error.h"
#include "net/tls/tls_context.h"
#include "store/agent_store.h"
#include "store/client/join.h"
#include "store/client/store_client.h"
#include "store/dist_error.h"
#include "store/shared_server.h"
#include "store/token_file.h"
#include "store/wait_error.h"

namespace rollcall {
namespace {

absl::Status Validate(const TcpStoreOptions& options) {
  if (options.world_size == 0) {
    return absl::InvalidArgumentError("TCPStore world size cannot be 0");
  }
  if (options.host.empty()) {
    return absl::InvalidArgumentError(
        "TcpStore needs a host: the name or address under which the server can be reached");
  }
  if (options.timeout < absl::ZeroDuration()) {
    return absl::InvalidArgumentError(
        absl::StrCat("timeout must not be negative, got ", absl::FormatDuration(options.timeout)));
  }
  if (options.listen_fd >= 0 && !options.is_server) {
    return absl::InvalidArgumentError("listen_fd is for the store that hosts the server");
  }
  return absl::OkStatus();
}

// What proves to the server who this client is, and the other way round.
absl::Status AddCredentials(const TcpStoreOptions& options, client::ClientOptions& client) {
  if (options.tls.has_value()) {
    absl::StatusOr<std::shared_ptr<const net::TlsContext>> tls = net::LoadTlsContext(*options.tls);
    if (!tls.ok()) return tls.status();
    client.tls = *std::move(tls);
    client.server_name = options.tls_server_name;
  }
  if (options.token_file.empty()) return absl::OkStatus();
  if (options.dialect != protocol::Dialect::kModern) {
    return absl::InvalidArgumentError(
        absl::StrCat("token_file is given, but the ", protocol::DialectName(options.dialect),
                     " dialect cannot show a token; only the modern one can"));
  }
  absl::StatusOr<std::vector<NamedToken>> tokens = ReadTokenFile(options.token_file);
  if (!tokens.ok()) return tokens.status();
  client.token = std::make_shared<const std::string>(std::move(tokens->front().token));
  return absl::OkStatus();
}

// Begins in torch's words.
absl::Status ListenFailed(const TcpStoreOptions& options, const absl::Status& why) {
  if (absl::IsUnimplemented(why)) {
    return StoreStatus(ErrorCode::kUnsupported,
                       absl::StrCat("no such event loop here: ", why.message(),
                                    "; try use_libuv=", options.use_libuv ? "false" : "true"),
                       {.operation = "listen"});
  }
  if (!net::GetNetErrorInfo(why).has_value()) return why;
  ErrorDetails details = DetailsOf(why);
  details.operation = "listen";
  return StoreStatus(
      CodeOf(why),
      absl::StrCat("The server socket has failed to listen on any local network address. port: ",
                   options.port, ", ", why.message()),
      std::move(details));
}

absl::StatusOr<std::shared_ptr<StoreServer>> StartServer(net::Env& env,
                                                         const TcpStoreOptions& options) {
  ServerOptions server_options = options.server;
  server_options.host = options.listen_host;
  server_options.port = options.port;
  server_options.listen_fd = options.listen_fd;
  server_options.event_loop =
      options.use_libuv ? net::EventLoopKind::kLibuv : net::EventLoopKind::kEpoll;
  if (options.world_size > 0) server_options.expected_clients = *options.world_size;
  if (options.multi_tenant) return ShareServer(env, server_options);
  absl::StatusOr<std::unique_ptr<StoreServer>> server = StoreServer::Start(env, server_options);
  if (!server.ok()) return server.status();
  return std::shared_ptr<StoreServer>(*std::move(server));
}

absl::Status Join(net::Env& env, client::StoreClient& client, const TcpStoreOptions& options,
                  bool waits, absl::Time started, absl::Time deadline) {
  // A negative size stands for an unknown one in torch.
  if (!options.wait_for_workers || options.world_size.value_or(-1) < 0) return absl::OkStatus();
  const client::JoinPlan plan{.world_size = *options.world_size,
                              .rank = options.rank,
                              .timeout = options.timeout,
                              .started = started,
                              .deadline = deadline};
  const absl::StatusOr<int64_t> joined = client::JoinWorld(env, client, plan);
  if (!joined.ok() || !waits || *joined >= plan.world_size) return joined.status();
  return client::WaitForWorld(env, client, plan);
}

// The border: what came back, or an exception.
template <typename Value>
Value OrThrow(absl::StatusOr<Value> value) {
  ThrowIfError(value.status());
  return *std::move(value);
}

}  // namespace

// --- Making one ---

absl::StatusOr<TcpStore::Parts> TcpStore::Make(net::Env& env, TcpStoreOptions options) {
  if (absl::Status valid = Validate(options); !valid.ok()) return valid;
  const absl::Time started = env.Now();
  const absl::Duration budget = options.timeout > absl::ZeroDuration()
                                    ? options.timeout
                                    : client::StoreClient::kZeroTimeoutBudget;
  const absl::Time deadline =
      budget == absl::InfiniteDuration() ? absl::InfiniteFuture() : started + budget;
  client::ClientOptions client_options{.dialect = options.dialect,
                                       .resumes = options.resumes,
                                       .limits = options.limits,
                                       .timeout = options.timeout};
  if (absl::Status added = AddCredentials(options, client_options); !added.ok()) return added;
  std::shared_ptr<StoreServer> server;
  if (options.is_server) {
    absl::StatusOr<std::shared_ptr<StoreServer>> own = StartServer(env, options);
    if (own.ok()) {
      server = *std::move(own);
      options.port =
          options.tls.has_value() ? server->tls_port().value_or(server->port()) : server->port();
    } else if (AgentHasStoreAt(env, options.port)) {
      LOG(WARNING) << "cannot listen on port " << options.port
                   << ", going on as a client of the agent's store there: "
                   << own.status().message();
    } else {
      return ListenFailed(options, own.status());
    }
  }
  client_options.endpoint = {.host = options.host, .port = options.port};
  auto client = std::make_unique<client::StoreClient>(env, std::move(client_options));
  if (absl::Status connected = client->Connect(started, deadline); !connected.ok())
    return connected;
  if (absl::Status joined = Join(env, *client, options, server != nullptr, started, deadline);
      !joined.ok()) {
    return joined;
  }
  return Parts{
      .options = std::move(options), .server = std::move(server), .client = std::move(client)};
}

TcpStore::Parts TcpStore::MakeOrThrow(net::Env& env, TcpStoreOptions options) {
  // Whatever was made and given up is gone before the exception begins its way: closing it may
  // block, and in a simulator no exception may be in flight then.
  return OrThrow(Make(env, std::move(options)));
}

TcpStore::TcpStore(net::Env& env, Parts parts)
    : env_(env),
      options_(std::move(parts.options)),
      server_(std::move(parts.server)),
      client_(std::move(parts.client)) {}

TcpStore::TcpStore(net::Env& env, TcpStoreOptions options)
    : TcpStore(env, MakeOrThrow(env, std::move(options))) {}

TcpStore::~TcpStore() = default;

absl::StatusOr<std::unique_ptr<TcpStore>> TcpStore::Open(net::Env& env, TcpStoreOptions options) {
  absl::StatusOr<Parts> parts = Make(env, std::move(options));
  if (!parts.ok()) return parts.status();
  return std::unique_ptr<TcpStore>(new TcpStore(env, *std::move(parts)));
}

std::unique_ptr<Store> TcpStore::Clone() {
  TcpStoreOptions options = options_;
  options.is_server = false;
  options.listen_fd = -1;
  options.world_size = std::nullopt;
  options.timeout = timeout();
  return std::make_unique<TcpStore>(env_, std::move(options));
}

// --- Operations ---

void TcpStore::Set(absl::string_view key, absl::string_view value) {
  ThrowIfError(client_->Set(key, value));
}

std::string TcpStore::CompareSet(absl::string_view key, absl::string_view expected,
                                 absl::string_view desired) {
  return OrThrow(client_->CompareSet(key, expected, desired));
}

std::string TcpStore::Get(absl::string_view key, absl::Duration timeout) {
  CheckTimeout(timeout);
  return OrThrow(client_->Get(key, timeout));
}

int64_t TcpStore::Add(absl::string_view key, int64_t delta) {
  return OrThrow(client_->Add(key, delta));
}

bool TcpStore::Check(absl::Span<const std::string> keys) { return OrThrow(client_->Check(keys)); }

void TcpStore::Wait(absl::Span<const std::string> keys, absl::Duration timeout) {
  CheckTimeout(timeout);
  ThrowIfError(client_->Wait(keys, timeout));
}

bool TcpStore::DeleteKey(absl::string_view key) { return OrThrow(client_->DeleteKey(key)); }

int64_t TcpStore::NumKeys() { return OrThrow(client_->NumKeys()); }

bool TcpStore::HasExtendedApi() const { return client_->HasExtendedApi(); }

void TcpStore::Append(absl::string_view key, absl::string_view value) {
  ThrowIfError(client_->Append(key, value));
}

std::vector<std::string> TcpStore::MultiGet(absl::Span<const std::string> keys) {
  return OrThrow(client_->MultiGet(keys));
}

void TcpStore::MultiSet(absl::Span<const std::string> keys, absl::Span<const std::string> values) {
  ThrowIfError(client_->MultiSet(keys, values));
}

void TcpStore::QueuePush(absl::string_view key, absl::string_view value) {
  ThrowIfError(client_->QueuePush(key, value));
}

std::string TcpStore::QueuePop(absl::string_view key, bool block, absl::Duration timeout) {
  CheckTimeout(timeout);
  return OrThrow(client_->QueuePop(key, block, timeout));
}

int64_t TcpStore::QueueLen(absl::string_view key) { return OrThrow(client_->QueueLen(key)); }

std::vector<std::string> TcpStore::ListKeys() { return OrThrow(client_->ListKeys()); }

void TcpStore::Barrier(absl::string_view key, int64_t world_size, absl::Duration timeout) {
  CheckTimeout(timeout);
  ThrowIfError(client_->Barrier(key, world_size, timeout));
}

void TcpStore::Close() { client_->Close(); }

void TcpStore::Ping() { ThrowIfError(client_->Ping()); }

absl::Duration TcpStore::timeout() const { return client_->timeout(); }

void TcpStore::SetTimeout(absl::Duration timeout) {
  CheckTimeout(timeout);
  client_->SetTimeout(timeout);
}

std::string TcpStore::Describe() const {
  const std::string server = server_ == nullptr
                                 ? "none"
                                 : absl::StrCat(server_->address(), " (",
                                                net::EventLoopKindName(server_->event_loop()), ")");
  return absl::StrCat("TcpStore(client=", client_->channels().Describe(), ", server=", server, ")");
}

}  // namespace rollcall
