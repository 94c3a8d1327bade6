// The flags of store_server, as what they mean.
#ifndef ROLLCALL_TOOLS_SERVER_FLAGS_H_
#define ROLLCALL_TOOLS_SERVER_FLAGS_H_

#include <cstdint>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "store/http/http_server.h"
#include "store/server/server_engine.h"
#include "store/server/server_options.h"

namespace rollcall::tools {

// As the user gave them.
struct ServerFlags {
  std::string host;
  int32_t port = 29500;
  std::string backend = "epoll";
  int32_t io_threads = 1;
  uint64_t max_key_bytes = protocol::Limits().key_bytes_max;
  uint64_t max_value_bytes = protocol::Limits().value_bytes_max;
  uint64_t max_connections = 0;
  uint64_t max_connections_per_peer = 0;
  std::string allow;
  uint64_t max_silent_connections = ServerOptions().silent_connections_max;
  uint64_t max_unsent_bytes = 0;  // 0: what a request may store.
  std::string request_timeout = "60s";
  std::string tls_handshake_timeout = "10s";
  std::string idle_timeout = "inf";
  bool legacy = true;
  std::string legacy_dialect = "legacy";
  int32_t world_size = 0;
  std::string http_host = "127.0.0.1";
  int32_t http_port = -1;
  std::string tls_cert;
  std::string tls_key;
  std::string tls_client_ca;
  std::string tls_min_version = "1.2";
  int32_t tls_port = -1;  // Negative: no second port.
  std::string tls_host;
  std::string token_file;
  std::string engine = "memory";
  std::string etcd;
  bool name_space_per_token = false;
  std::string listen;  // "NAME=HOST:PORT,NAME=:PORT"
  uint64_t max_memory = 0;
  uint64_t max_keys_per_name_space = 0;
  uint64_t max_memory_per_name_space = 0;
  uint64_t max_clients_per_name_space = 0;
  std::string quota;
};

// InvalidArgument names the flag, its value and what it takes.
absl::StatusOr<ServerOptions> OptionsOf(const ServerFlags& flags);
// The same for the engine behind it. Reads the files that --etcd names.
absl::StatusOr<ServerEngineFactory> EngineOf(const ServerFlags& flags);
// The same for the server's pages; nullopt: none are asked for.
absl::StatusOr<std::optional<http::HttpServerOptions>> HttpOptionsOf(const ServerFlags& flags);

}  // namespace rollcall::tools

#endif  // ROLLCALL_TOOLS_SERVER_FLAGS_H_
