// From a URL to a store: see factory.cc for the rest.
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "absl/algorithm/container.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "net/tls/tls_files.h"
#include "store/agent_store.h"
#include "store/dist_error.h"
#include "store/etcd/etcd_options.h"
#include "store/etcd/etcd_store.h"
#include "store/etcd/etcd_url.h"
#include "store/factory.h"
#include "store/file_store.h"
#include "store/store_url.h"

namespace rollcall {
namespace {

// What a store's URL and its user say together.
struct Place {
  int rank = -1;
  int world_size = -1;
};

absl::Status Missing(const StoreUrl& url, absl::string_view what) {
  return absl::InvalidArgumentError(absl::StrCat("Error initializing torch.distributed using ",
                                                 url.scheme, ":// rendezvous: ", what));
}

absl::StatusOr<int> NumberIn(absl::string_view name, const std::string& text) {
  int number = 0;
  if (absl::SimpleAtoi(text, &number)) return number;
  return absl::InvalidArgumentError(
      absl::StrCat(name, " must be a decimal number, got \"", text, "\""));
}

absl::StatusOr<uint16_t> PortIn(absl::string_view name, const std::string& text) {
  const absl::StatusOr<int> port = NumberIn(name, text);
  if (!port.ok()) return port.status();
  if (*port >= 0 && *port <= 65535) return static_cast<uint16_t>(*port);
  return absl::InvalidArgumentError(
      absl::StrCat(name, " must have value from 0 to 65535 but was ", *port, "."));
}

// -1 if neither the caller nor the URL names it.
absl::StatusOr<int> GivenNumber(const StoreUrl& url, const std::string& name, int from_caller) {
  const auto parameter = url.parameters.find(name);
  if (parameter == url.parameters.end()) return from_caller;
  const absl::StatusOr<int> number = NumberIn(name, parameter->second);
  if (!number.ok() || from_caller < 0 || from_caller == *number) return number;
  return absl::InvalidArgumentError(
      absl::StrCat(name, " is ", from_caller, " by argument and ", *number, " in the URL"));
}

std::vector<absl::string_view> KnownParameters(const StoreUrl& url) {
  std::vector<absl::string_view> known = {"rank", "world_size", "use_libuv"};
  if (url.scheme == "tcp" || url.scheme == "tls") {
    known.insert(known.end(), {"is_server", "token_file", "resumes"});
  }
  if (url.scheme == "tls") {
    known.insert(known.end(), {"ca", "cert", "key", "client_ca", "server_name"});
  }
  return known;
}

absl::Status CheckParameters(const StoreUrl& url) {
  // Their meaning, and what else there is, is for etcd::OptionsOfUrl to say.
  if (url.scheme == "etcd") return absl::OkStatus();
  if (url.addresses.size() > 1) {
    return absl::InvalidArgumentError(
        absl::StrCat(url.scheme, ":// takes one address, got ", url.addresses.size()));
  }
  const std::vector<absl::string_view> known = KnownParameters(url);
  for (const auto& [name, value] : url.parameters) {
    if (absl::c_linear_search(known, name)) continue;
    const std::vector<absl::string_view> first(known.begin(), known.end() - 1);
    return absl::InvalidArgumentError(
        absl::StrCat("unknown parameter \"", name, "\" in the store URL; there are ",
                     absl::StrJoin(first, ", "), " and ", known.back()));
  }
  return absl::OkStatus();
}

// Empty if the URL has no such parameter.
std::string Parameter(const StoreUrl& url, const std::string& name) {
  const auto parameter = url.parameters.find(name);
  return parameter == url.parameters.end() ? "" : parameter->second;
}

absl::StatusOr<Place> PlaceIn(const StoreUrl& url, const StoreUrlOptions& options) {
  const absl::StatusOr<int> rank = GivenNumber(url, "rank", options.rank);
  if (!rank.ok()) return rank.status();
  const absl::StatusOr<int> world_size = GivenNumber(url, "world_size", options.world_size);
  if (!world_size.ok()) return world_size.status();
  return Place{.rank = *rank, .world_size = *world_size};
}

absl::Status CheckPlace(const Place& place) {
  if (place.world_size == 0) {
    return absl::InvalidArgumentError("TCPStore world size cannot be 0");
  }
  if (place.rank < place.world_size || place.world_size < 0) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat("rank ", place.rank, " is not in a world of ",
                                                 place.world_size, ": ranks count from 0"));
}

absl::StatusOr<bool> UseLibuv(net::Env& env, const StoreUrl& url) {
  const auto parameter = url.parameters.find("use_libuv");
  const std::string value = parameter != url.parameters.end()
                                ? parameter->second
                                : env.GetEnvironmentVariable("USE_LIBUV").value_or("1");
  if (value == "0" || value == "1") return value == "1";
  return absl::InvalidArgumentError(absl::StrCat("use_libuv must be 0 or 1, got \"", value, "\""));
}

// Rank 0 hosts the server, unless the agent does, or the URL says that somebody does.
absl::StatusOr<bool> IsServer(net::Env& env, const StoreUrl& url, const std::string& host,
                              uint16_t port, const Place& place) {
  const std::string value = Parameter(url, "is_server");
  if (!value.empty() && value != "0" && value != "1") {
    return absl::InvalidArgumentError(
        absl::StrCat("is_server must be 0 or 1, got \"", value, "\""));
  }
  return place.rank == 0 && value != "0" && !AgentHasStoreAt(env, host, port);
}

// What a tls:// URL says, for the client and for the server that it may host.
absl::Status AddTls(const StoreUrl& url, TcpStoreOptions& options) {
  options.tls = net::TlsClientFiles{.ca = Parameter(url, "ca"),
                                    .certificate_chain = Parameter(url, "cert"),
                                    .private_key = Parameter(url, "key")};
  options.tls_server_name = Parameter(url, "server_name");
  if (!options.is_server) return absl::OkStatus();
  if (options.tls->certificate_chain.empty() || options.tls->private_key.empty()) {
    return absl::InvalidArgumentError(
        "rank 0 hosts the server of a tls:// URL, and for that needs the parameters cert and key; "
        "if a server runs there already, say is_server=0");
  }
  options.server.tls = {.certificate_chain = options.tls->certificate_chain,
                        .private_key = options.tls->private_key,
                        .client_ca = Parameter(url, "client_ca")};
  return absl::OkStatus();
}

absl::StatusOr<std::unique_ptr<Store>> OpenTcp(net::Env& env, const StoreUrl& url,
                                               const std::string& host, uint16_t port,
                                               const Place& place, absl::Duration timeout) {
  if (absl::Status valid = CheckPlace(place); !valid.ok()) return valid;
  const absl::StatusOr<bool> use_libuv = UseLibuv(env, url);
  if (!use_libuv.ok()) return use_libuv.status();
  TcpStoreOptions options;
  options.host = host;
  options.port = port;
  const absl::StatusOr<bool> is_server = IsServer(env, url, host, port, place);
  if (!is_server.ok()) return is_server.status();
  options.is_server = *is_server;
  options.token_file = Parameter(url, "token_file");
  const std::string resumes = Parameter(url, "resumes");
  if (!resumes.empty() && resumes != "0" && resumes != "1") {
    return absl::InvalidArgumentError(
        absl::StrCat("resumes must be 0 or 1, got \"", resumes, "\""));
  }
  options.resumes = resumes != "0";
  if (*is_server) options.server.token_file = options.token_file;
  if (url.scheme == "tls") {
    if (absl::Status added = AddTls(url, options); !added.ok()) return added;
  }
  options.multi_tenant = true;
  options.use_libuv = *use_libuv;
  options.world_size = place.world_size;
  options.rank = place.rank;
  options.timeout = timeout;
  absl::StatusOr<std::unique_ptr<TcpStore>> store = TcpStore::Open(env, std::move(options));
  if (!store.ok()) return store.status();
  return std::unique_ptr<Store>(*std::move(store));
}

absl::StatusOr<std::unique_ptr<Store>> OpenTcpUrl(net::Env& env, const StoreUrl& url,
                                                  const Place& place, absl::Duration timeout) {
  const StoreAddress& address = url.addresses[0];
  if (address.port.empty()) return Missing(url, "port number missing");
  if (place.rank < 0) return Missing(url, "rank parameter missing");
  if (place.world_size < 0) return Missing(url, "world size parameter missing");
  const absl::StatusOr<uint16_t> port = PortIn("port", address.port);
  if (!port.ok()) return port.status();
  return OpenTcp(env, url, address.host, *port, place, timeout);
}

absl::StatusOr<std::string> Variable(net::Env& env, const StoreUrl& url, const std::string& name) {
  std::optional<std::string> value = env.GetEnvironmentVariable(name);
  if (value.has_value() && !value->empty()) return *std::move(value);
  return Missing(url, absl::StrCat("environment variable ", name, " expected, but not set"));
}

absl::StatusOr<int> NumberOrVariable(net::Env& env, const StoreUrl& url, int number,
                                     const std::string& name) {
  if (number >= 0) return number;
  const absl::StatusOr<std::string> value = Variable(env, url, name);
  if (!value.ok()) return value.status();
  return NumberIn(name, *value);
}

absl::StatusOr<std::unique_ptr<Store>> OpenEnvUrl(net::Env& env, const StoreUrl& url,
                                                  const Place& given, absl::Duration timeout) {
  const absl::StatusOr<int> rank = NumberOrVariable(env, url, given.rank, "RANK");
  if (!rank.ok()) return rank.status();
  const absl::StatusOr<int> world_size = NumberOrVariable(env, url, given.world_size, "WORLD_SIZE");
  if (!world_size.ok()) return world_size.status();
  const absl::StatusOr<std::string> host = Variable(env, url, "MASTER_ADDR");
  if (!host.ok()) return host.status();
  const absl::StatusOr<std::string> port_text = Variable(env, url, "MASTER_PORT");
  if (!port_text.ok()) return port_text.status();
  const absl::StatusOr<uint16_t> port = PortIn("MASTER_PORT", *port_text);
  if (!port.ok()) return port.status();
  return OpenTcp(env, url, *host, *port, {.rank = *rank, .world_size = *world_size}, timeout);
}

absl::Status CheckFileUrl(const StoreUrl& url, const Place& place) {
  if (const std::string& host = url.addresses[0].host; !host.empty()) {
    return absl::InvalidArgumentError(absl::StrCat("file://", host, url.path,
                                                   " names a host; a path begins with a third "
                                                   "slash: file:///",
                                                   host, url.path));
  }
  if (url.path.empty() || url.path == "/") return Missing(url, "path missing");
  if (place.rank < 0) return Missing(url, "rank parameter missing");
  if (place.world_size < 0) return Missing(url, "world size parameter missing");
  return CheckPlace(place);
}

// Who has which rank is of no matter there: nobody hosts it.
absl::StatusOr<std::unique_ptr<Store>> OpenEtcdUrl(net::Env& env, const StoreUrl& url,
                                                   const Place& place, absl::Duration timeout) {
  if (absl::Status valid = CheckPlace(place); place.world_size >= 0 && !valid.ok()) return valid;
  absl::StatusOr<EtcdOptions> etcd = etcd::OptionsOfUrl(url);
  if (!etcd.ok()) return etcd.status();
  etcd->timeout = timeout;
  absl::StatusOr<std::unique_ptr<EtcdStore>> store = EtcdStore::Open(env, *std::move(etcd));
  if (!store.ok()) return store.status();
  return std::unique_ptr<Store>(*std::move(store));
}

}  // namespace

std::unique_ptr<Store> CreateStore(net::Env& env, absl::string_view text,
                                   const StoreUrlOptions& options) {
  const absl::StatusOr<StoreUrl> url = StoreUrl::Parse(text);
  ThrowIfError(url.status());
  ThrowIfError(CheckParameters(*url));
  const absl::StatusOr<Place> place = PlaceIn(*url, options);
  ThrowIfError(place.status());
  if (url->scheme == "file") {
    ThrowIfError(CheckFileUrl(*url, *place));
    return std::make_unique<FileStore>(env, url->path, place->world_size, options.timeout);
  }
  absl::StatusOr<std::unique_ptr<Store>> store =
      url->scheme == "tcp" || url->scheme == "tls" ? OpenTcpUrl(env, *url, *place, options.timeout)
      : url->scheme == "env"                       ? OpenEnvUrl(env, *url, *place, options.timeout)
      : url->scheme == "etcd"                      ? OpenEtcdUrl(env, *url, *place, options.timeout)
                                                   : absl::InvalidArgumentError(absl::StrCat(
                                                         "No rendezvous handler for ", url->scheme,
                                                         "://; there are tcp://, tls://, file://, env:// and etcd://"));
  ThrowIfError(store.status());
  return *std::move(store);
}

}  // namespace rollcall
