#include "store/factory.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "net/clock.h"
#include "store/client/join.h"
#include "store/client/store_client.h"
#include "store/dist_error.h"

namespace rollcall {
namespace {

constexpr int kPortNotGiven = -1;
constexpr int kPortMax = 65535;

absl::Status Validate(const C10dStoreOptions& options) {
  if (options.server_port == kPortNotGiven && options.world_size > 1) {
    return absl::InvalidArgumentError(absl::StrCat(
        "server_port must be specified when world_size > 1, got server_port=", options.server_port,
        ", world_size=", options.world_size));
  }
  if (options.server_port < kPortNotGiven || options.server_port > kPortMax) {
    return absl::InvalidArgumentError(
        absl::StrCat("server_port must be from 0 to 65535, or -1 if it is not given; got ",
                     options.server_port));
  }
  if (options.world_size < 0) {
    return absl::InvalidArgumentError(
        absl::StrCat("world_size must be at least 1, got ", options.world_size));
  }
  if (options.world_size > 0 && options.rank >= options.world_size) {
    return absl::InvalidArgumentError(absl::StrCat("rank ", options.rank, " is not in a world of ",
                                                   options.world_size, ": ranks count from 0"));
  }
  return absl::OkStatus();
}

absl::StatusOr<std::unique_ptr<net::ListeningSocket>> ListenOnFreePort(net::Env& env) {
  absl::StatusOr<std::unique_ptr<net::ListeningSocket>> socket =
      env.Listen({.host = "localhost", .port = 0});
  if (socket.ok()) return socket;
  ErrorDetails details = DetailsOf(socket.status());
  details.operation = "listen";
  return StoreStatus(CodeOf(socket.status()),
                     absl::StrCat("Failed to create a socket: ", socket.status().message()),
                     std::move(details));
}

absl::StatusOr<uint16_t> PortFor(net::Env& env, const C10dStoreOptions& options) {
  if (options.server_port != kPortNotGiven) return static_cast<uint16_t>(options.server_port);
  // A server lets the system pick one while it binds: nobody can be faster. A client without a port
  // gets one on which nobody listens, and its time-out, as in torch.
  if (options.is_server) return uint16_t{0};
  absl::StatusOr<std::unique_ptr<net::ListeningSocket>> socket = ListenOnFreePort(env);
  if (!socket.ok()) return socket.status();
  return (*socket)->address().port();
}

// One attempt, all of it under one deadline.
absl::StatusOr<std::unique_ptr<TcpStore>> Attempt(net::Env& env, const C10dStoreOptions& options,
                                                  absl::Time started, absl::Time deadline) {
  const absl::StatusOr<uint16_t> port = PortFor(env, options);
  if (!port.ok()) return port.status();
  TcpStoreOptions tcp;
  tcp.host = options.server_addr;
  tcp.port = *port;
  tcp.is_server = options.is_server;
  tcp.use_libuv = options.use_libuv;
  tcp.world_size = options.world_size;
  tcp.wait_for_workers = options.wait_for_workers;
  tcp.rank = options.rank;
  tcp.timeout = options.timeout;
  absl::StatusOr<std::unique_ptr<TcpStore>> store = TcpStore::Open(env, std::move(tcp));
  if (!store.ok() || !options.wait_for_workers) return store;
  // The server's host has waited already; now everybody does, and no worker goes on alone.
  absl::Status full = client::WaitForFullWorld(env, (*store)->client(),
                                               {.world_size = options.world_size,
                                                .rank = options.rank,
                                                .timeout = options.timeout,
                                                .started = started,
                                                .deadline = deadline});
  if (full.ok()) return store;
  return full;
}

absl::StatusOr<std::unique_ptr<TcpStore>> Create(net::Env& env, const C10dStoreOptions& options) {
  if (absl::Status valid = Validate(options); !valid.ok()) return valid;
  const absl::Time started = env.Now();
  const absl::Time deadline = net::DeadlineAfter(env, options.timeout);
  const bool asked_for_port = options.server_port > 0;
  const int attempts_max = asked_for_port ? 1 : std::max(options.retries, 1);
  for (int attempt = 1;; ++attempt) {
    absl::StatusOr<std::unique_ptr<TcpStore>> store = Attempt(env, options, started, deadline);
    if (store.ok() || CodeOf(store.status()) != ErrorCode::kAddressInUse) return store;
    if (attempt < attempts_max && env.Now() < deadline) continue;
    ErrorDetails details = DetailsOf(store.status());
    details.attempts = attempt;
    return StoreStatus(ErrorCode::kAddressInUse,
                       absl::StrCat("on ", options.server_addr, ", port: ", options.server_port,
                                    " already in use. ", store.status().message()),
                       std::move(details));
  }
}

}  // namespace

std::unique_ptr<TcpStore> CreateC10dStore(net::Env& env, const C10dStoreOptions& options) {
  absl::StatusOr<std::unique_ptr<TcpStore>> store = Create(env, options);
  ThrowIfError(store.status());
  return *std::move(store);
}

std::unique_ptr<net::ListeningSocket> GetSocketWithPort(net::Env& env) {
  absl::StatusOr<std::unique_ptr<net::ListeningSocket>> socket = ListenOnFreePort(env);
  ThrowIfError(socket.status());
  return *std::move(socket);
}

uint16_t GetFreePort(net::Env& env) { return GetSocketWithPort(env)->address().port(); }

}  // namespace rollcall
