#include "tools/server_flags.h"

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "absl/time/time.h"
#include "net/address.h"
#include "net/event_loop.h"
#include "net/network.h"
#include "net/tls/tls_context.h"
#include "store/etcd/etcd_options.h"
#include "store/etcd/etcd_url.h"
#include "store/front/front_engine.h"
#include "store/protocol/dialect.h"
#include "store/protocol/limits.h"
#include "store/server/loop_number.h"
#include "store/server/server_snapshot.h"
#include "store/store_url.h"
#include "store/token_file.h"
#include "tools/flag_values.h"

namespace rollcall::tools {
namespace {

// So that sums of limits cannot overflow. No machine has more memory to give to one value.
constexpr uint64_t kLimitBytesMax = uint64_t{1} << 40;

// Whoever started it should hear soon that etcd is not there.
constexpr absl::Duration kEtcdStartTimeout = absl::Seconds(10);

absl::Status Wrong(absl::string_view flag, absl::string_view value, absl::string_view expected) {
  return absl::InvalidArgumentError(absl::StrCat("--", flag, "=", value, ": must be ", expected));
}

std::optional<uint64_t> ParseCount(absl::string_view text) {
  uint64_t count = 0;
  if (!absl::SimpleAtoi(text, &count)) return std::nullopt;
  return count;
}

std::optional<uint64_t> ParseBytes(absl::string_view text) {
  int shift = 0;
  for (const auto& [unit, bits] :
       {std::pair("KiB", 10), std::pair("MiB", 20), std::pair("GiB", 30)}) {
    if (absl::ConsumeSuffix(&text, unit)) {
      shift = bits;
      break;
    }
  }
  const std::optional<uint64_t> count = ParseCount(text);
  if (!count.has_value() || *count > kLimitBytesMax) return std::nullopt;
  return *count << shift;
}

absl::Status WrongEtcd(const ServerFlags& flags, const absl::Status& why) {
  return absl::InvalidArgumentError(absl::StrCat("--etcd=", flags.etcd, ": ", why.message()));
}

std::optional<net::EventLoopKind> ParseBackend(absl::string_view name) {
  for (const net::EventLoopKind kind : {net::EventLoopKind::kEpoll, net::EventLoopKind::kLibuv}) {
    if (name == net::EventLoopKindName(kind)) return kind;
  }
  return std::nullopt;
}

absl::Status AddSecurity(const ServerFlags& flags, ServerOptions& options) {
  options.tls = {.certificate_chain = flags.tls_cert,
                 .private_key = flags.tls_key,
                 .client_ca = flags.tls_client_ca};
  absl::StatusOr<std::vector<net::Network>> allow = net::ParseNetworks(flags.allow);
  if (!allow.ok()) {
    return absl::InvalidArgumentError(
        absl::StrCat("--allow=", flags.allow, ": ", allow.status().message()));
  }
  options.allow = *std::move(allow);
  options.tls_host = flags.tls_host;
  options.token_file = flags.token_file;
  if (flags.tls_cert.empty() != flags.tls_key.empty()) {
    return absl::InvalidArgumentError(absl::StrCat("--tls_cert and --tls_key go together: --",
                                                   flags.tls_cert.empty() ? "tls_cert" : "tls_key",
                                                   " is missing"));
  }
  if (flags.tls_min_version != "1.2" && flags.tls_min_version != "1.3") {
    return Wrong("tls_min_version", flags.tls_min_version, "1.2 or 1.3");
  }
  options.tls.min_version =
      flags.tls_min_version == "1.3" ? net::TlsVersion::k13 : net::TlsVersion::k12;
  if (flags.tls_port > 65535) {
    return Wrong("tls_port", absl::StrCat(flags.tls_port),
                 "0 to 65535 (0 lets the system pick one), or -1 for no second port");
  }
  if (flags.tls_port >= 0) options.tls_port = static_cast<uint16_t>(flags.tls_port);
  const bool needs_tls = options.tls_port.has_value() || !flags.tls_client_ca.empty();
  if (needs_tls && !options.HasTls()) {
    return absl::InvalidArgumentError(
        absl::StrCat(options.tls_port.has_value() ? "--tls_port" : "--tls_client_ca",
                     " needs --tls_cert and --tls_key"));
  }
  if (!flags.tls_host.empty() && !options.tls_port.has_value()) {
    return absl::InvalidArgumentError("--tls_host needs --tls_port; --host is for --port");
  }
  return absl::OkStatus();
}

absl::StatusOr<ServerOptions::NameSpacePort> ParseNameSpacePort(absl::string_view text) {
  const std::pair<absl::string_view, absl::string_view> parts =
      absl::StrSplit(text, absl::MaxSplits('=', 1));
  const absl::StatusOr<net::Endpoint> endpoint = net::Endpoint::Parse(parts.second);
  if (!IsTokenName(parts.first) || !endpoint.ok()) {
    return Wrong("listen", text,
                 absl::StrCat("NAME=HOST:PORT or NAME=:PORT, separated by commas; names are ",
                              "letters, digits and _ . -"));
  }
  return ServerOptions::NameSpacePort{
      .name_space = std::string(parts.first), .host = endpoint->host, .port = endpoint->port};
}

// What is said of one name space: "jobA:memory=1GiB:keys=1000". What it does not say stays.
absl::Status AddQuota(absl::string_view text, ServerOptions& options) {
  auto& limits = options.store_limits;
  const std::vector<std::string> parts = absl::StrSplit(text, ':');
  const auto wrong = [&] {
    return Wrong("quota", text,
                 "NAME:memory=BYTES:keys=N:clients=N, one of the three at least, each once; BYTES "
                 "may end in KiB, MiB or GiB; several names are separated by commas");
  };
  if (!IsTokenName(parts[0]) || parts.size() < 2) return wrong();
  auto quota = limits.each;
  std::vector<std::string> said;
  for (size_t i = 1; i < parts.size(); ++i) {
    const std::pair<std::string, std::string> limit =
        absl::StrSplit(parts[i], absl::MaxSplits('=', 1));
    size_t* const place = limit.first == "memory"    ? &quota.memory_bytes_max
                          : limit.first == "keys"    ? &quota.keys_max
                          : limit.first == "clients" ? &quota.clients_max
                                                     : nullptr;
    const std::optional<uint64_t> value =
        limit.first == "memory" ? ParseBytes(limit.second) : ParseCount(limit.second);
    if (place == nullptr || !value.has_value() || *value > kLimitBytesMax ||
        std::find(said.begin(), said.end(), limit.first) != said.end()) {
      return wrong();
    }
    said.push_back(limit.first);
    *place = static_cast<size_t>(*value);
  }
  const std::string name = parts[0] == kDefaultNameSpace ? "" : parts[0];
  if (!limits.own.emplace(name, quota).second) {
    return Wrong("quota", text, "the only one of its name");
  }
  return absl::OkStatus();
}

absl::Status AddNameSpaces(const ServerFlags& flags, ServerOptions& options) {
  options.name_space_per_token = flags.name_space_per_token;
  if (flags.name_space_per_token && flags.token_file.empty()) {
    return absl::InvalidArgumentError("--name_space_per_token needs --token_file");
  }
  for (const absl::string_view text : absl::StrSplit(flags.listen, ',', absl::SkipEmpty())) {
    absl::StatusOr<ServerOptions::NameSpacePort> port = ParseNameSpacePort(text);
    if (!port.ok()) return port.status();
    options.name_space_ports.push_back(*std::move(port));
  }
  options.store_limits = {.each = {.keys_max = flags.max_keys_per_name_space,
                                   .memory_bytes_max = flags.max_memory_per_name_space,
                                   .clients_max = flags.max_clients_per_name_space},
                          .memory_bytes_max = flags.max_memory};
  for (const absl::string_view text : absl::StrSplit(flags.quota, ',', absl::SkipEmpty())) {
    if (absl::Status added = AddQuota(text, options); !added.ok()) return added;
  }
  return absl::OkStatus();
}

absl::Status SetDuration(absl::string_view flag, const std::string& value,
                         absl::Duration& duration) {
  const absl::StatusOr<absl::Duration> parsed = ParseDurationFlag(flag, value);
  if (!parsed.ok()) return parsed.status();
  if (*parsed == absl::ZeroDuration()) return Wrong(flag, value, "more than 0");
  // Only what is off by default can be so.
  if (*parsed == absl::InfiniteDuration() && duration != *parsed) {
    return Wrong(flag, value, "less than inf");
  }
  duration = *parsed;
  return absl::OkStatus();
}

absl::Status AddTimeouts(const ServerFlags& flags, ServerOptions& options) {
  absl::Status added =
      SetDuration("request_timeout", flags.request_timeout, options.half_request_timeout);
  added.Update(SetDuration("tls_handshake_timeout", flags.tls_handshake_timeout,
                           options.tls_handshake_timeout));
  added.Update(SetDuration("idle_timeout", flags.idle_timeout, options.idle_timeout));
  return added;
}

// A value that is allowed must fit into a request and into a reply.
absl::Status AddLimits(const ServerFlags& flags, ServerOptions& options) {
  protocol::Limits& limits = options.parser.limits;
  if (flags.max_key_bytes == 0 || flags.max_key_bytes > kLimitBytesMax) {
    return Wrong("max_key_bytes", absl::StrCat(flags.max_key_bytes),
                 absl::StrCat("1 to ", kLimitBytesMax));
  }
  if (flags.max_value_bytes > kLimitBytesMax) {
    return Wrong("max_value_bytes", absl::StrCat(flags.max_value_bytes),
                 absl::StrCat("0 to ", kLimitBytesMax));
  }
  limits.key_bytes_max = flags.max_key_bytes;
  limits.value_bytes_max = flags.max_value_bytes;
  const uint64_t largest = limits.key_bytes_max + limits.value_bytes_max;
  limits.request_bytes_max = std::max(limits.request_bytes_max, largest);
  options.unsent_bytes_hard_max = std::max<uint64_t>(options.unsent_bytes_hard_max, 2 * largest);
  if (flags.max_unsent_bytes != 0) {
    if (flags.max_unsent_bytes < 2 * largest || flags.max_unsent_bytes > kLimitBytesMax) {
      return Wrong("max_unsent_bytes", absl::StrCat(flags.max_unsent_bytes),
                   absl::StrCat(2 * largest,
                                " (twice what --max_key_bytes and --max_value_bytes "
                                "are together) to ",
                                kLimitBytesMax, ", or 0"));
    }
    options.unsent_bytes_hard_max = flags.max_unsent_bytes;
    options.unsent_bytes_soft_max =
        std::min(options.unsent_bytes_soft_max, options.unsent_bytes_hard_max);
  }
  if (flags.max_silent_connections == 0) {
    return Wrong("max_silent_connections", "0", "1 or more: every connection begins silent");
  }
  options.silent_connections_max = flags.max_silent_connections;
  options.connections_max = flags.max_connections;
  options.connections_per_peer_max = flags.max_connections_per_peer;
  return absl::OkStatus();
}

// The first of the limits on what is stored; nullptr: none is given.
const char* LimitGiven(const ServerFlags& flags) {
  if (flags.max_memory != 0) return "max_memory";
  if (flags.max_memory_per_name_space != 0) return "max_memory_per_name_space";
  if (flags.max_keys_per_name_space != 0) return "max_keys_per_name_space";
  if (flags.max_clients_per_name_space != 0) return "max_clients_per_name_space";
  return flags.quota.empty() ? nullptr : "quota";
}

}  // namespace

absl::StatusOr<ServerOptions> OptionsOf(const ServerFlags& flags) {
  ServerOptions options;
  options.host = flags.host;
  if (flags.port < 0 || flags.port > 65535) {
    return Wrong("port", absl::StrCat(flags.port), "0 to 65535 (0 lets the system pick one)");
  }
  options.port = static_cast<uint16_t>(flags.port);
  const std::optional<net::EventLoopKind> backend = ParseBackend(flags.backend);
  if (!backend.has_value()) return Wrong("backend", flags.backend, "epoll or libuv");
  options.event_loop = *backend;
  if (flags.io_threads < 1 || flags.io_threads > int{kServerLoopsMax}) {
    return Wrong("io_threads", absl::StrCat(flags.io_threads),
                 absl::StrCat("1 to ", kServerLoopsMax));
  }
  options.io_threads = flags.io_threads;
  if (absl::Status added = AddLimits(flags, options); !added.ok()) return added;
  if (absl::Status added = AddTimeouts(flags, options); !added.ok()) return added;
  options.parser.accept_legacy = flags.legacy;
  const std::optional<protocol::Dialect> dialect = protocol::ParseDialect(flags.legacy_dialect);
  if (!dialect.has_value() || *dialect == protocol::Dialect::kModern) {
    return Wrong("legacy_dialect", flags.legacy_dialect,
                 "legacy (torch 1.x and 2.0) or torch21 (torch 2.1)");
  }
  options.parser.legacy_dialect = *dialect;
  if (flags.world_size < 0) {
    return Wrong("world_size", absl::StrCat(flags.world_size), "0 (unknown) or more");
  }
  options.expected_clients = flags.world_size;
  if (absl::Status added = AddSecurity(flags, options); !added.ok()) return added;
  if (absl::Status added = AddNameSpaces(flags, options); !added.ok()) return added;
  // Nobody would see them otherwise.
  options.measure_latencies = flags.http_port >= 0;
  return options;
}

absl::StatusOr<ServerEngineFactory> EngineOf(const ServerFlags& flags) {
  if (flags.engine != "memory" && flags.engine != "etcd") {
    return Wrong("engine", flags.engine, "memory or etcd");
  }
  if (flags.engine == "memory") {
    // The server's own, which keeps within its options' limits.
    if (flags.etcd.empty()) return ServerEngineFactory();
    return absl::InvalidArgumentError("--etcd needs --engine=etcd");
  }
  if (flags.etcd.empty()) {
    return absl::InvalidArgumentError(
        "--engine=etcd needs --etcd=HOST:PORT,HOST:PORT/PREFIX, the members of etcd and what its "
        "keys begin with");
  }
  const absl::StatusOr<StoreUrl> url = StoreUrl::Parse(absl::StrCat("etcd://", flags.etcd));
  if (!url.ok()) return WrongEtcd(flags, url.status());
  absl::StatusOr<EtcdOptions> etcd = etcd::OptionsOfUrl(*url);
  if (!etcd.ok()) return WrongEtcd(flags, etcd.status());
  etcd->timeout = kEtcdStartTimeout;
  if (absl::Status valid = ValidateEtcdOptions(*etcd); !valid.ok()) {
    return WrongEtcd(flags, valid);
  }
  if (const char* const limit = LimitGiven(flags)) {
    return absl::InvalidArgumentError(
        absl::StrCat("--", limit,
                     " is for --engine=memory: what is in etcd is limited by etcd's own quota, "
                     "--quota-backend-bytes of its members"));
  }
  return NewFrontEngine({.etcd = *std::move(etcd)});
}

absl::StatusOr<std::optional<http::HttpServerOptions>> HttpOptionsOf(const ServerFlags& flags) {
  if (flags.http_port < -1 || flags.http_port > 65535) {
    return Wrong("http_port", absl::StrCat(flags.http_port),
                 "0 to 65535 (0 lets the system pick one), or -1 for none");
  }
  if (flags.http_port == -1) return std::nullopt;
  http::HttpServerOptions options;
  options.endpoint = {.host = flags.http_host, .port = static_cast<uint16_t>(flags.http_port)};
  return options;
}

}  // namespace rollcall::tools
