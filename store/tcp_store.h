// A Store on a server that speaks the TCPStore protocol: ours, or torch's.
#ifndef ROLLCALL_STORE_TCP_STORE_H_
#define ROLLCALL_STORE_TCP_STORE_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "net/env.h"
#include "store/protocol/dialect.h"
#include "store/protocol/limits.h"
#include "store/server/server_options.h"
#include "store/server/store_server.h"
#include "store/store.h"

namespace rollcall {

struct TcpStoreOptions {
  // Where the server is; for the one that hosts it, the name under which others reach it. The
  // hosted server listens on `listen_host`.
  std::string host;
  uint16_t port = 29500;

  bool is_server = false;
  // Empty: all interfaces, as torch does; else exactly this one.
  std::string listen_host;
  // >= 0: the hosted server takes over this bound socket. `port` must be its port or 0.
  int listen_fd = -1;
  // Servers on one explicit port in one process are shared; port 0 always starts a new one.
  bool multi_tenant = false;
  bool use_libuv = true;
  // Further settings of the hosted server; host, port, listen_fd and event_loop are overridden.
  ServerOptions server;

  // Workers that are to join, the server's own client included. nullopt: not known; 0 is
  // std::invalid_argument.
  std::optional<int> world_size;
  // The host of the server waits in its constructor until world_size workers have joined.
  bool wait_for_workers = true;
  // >= 0: leaves a mark by which a time-out of the wait can name the ranks that did not come.
  int rank = -1;

  absl::Duration timeout = kDefaultTimeout;
  protocol::Dialect dialect = protocol::Dialect::kModern;
  // Checked before anything is sent, since the server can only answer by hanging up. Raise them with
  // the server's.
  protocol::Limits limits;
};

class TcpStore : public Store {
 public:
  // Connects (and, as server, first listens), greets, and joins: all under one deadline,
  // now + options.timeout. Raises DistNetworkError (CONNECT_REFUSED, CONNECT_NO_ANSWER, NAME_LOOKUP,
  // NOT_A_STORE, ADDRESS_IN_USE, ...), DistStoreError (JOIN_TIMEOUT) and std::invalid_argument.
  // `env` must outlive the store and its clones.
  TcpStore(net::Env& env, TcpStoreOptions options);
  ~TcpStore() override;

  // Store's operations.
  // ...

  // Round trip to the server.
  void Ping();

  const std::string& host() const;
  uint16_t port() const;          // The real one, where 0 was asked for.
  bool libuvBackend() const;      // As asked for, as torch has it.
  bool is_server() const;
  StoreServer* server();          // The hosted server, nullptr if none.
};

}  // namespace rollcall

#endif  // ROLLCALL_STORE_TCP_STORE_H_
