// A Store on a server that speaks the TCPStore protocol: ours, or torch's.
#ifndef ROLLCALL_STORE_TCP_STORE_H_
#define ROLLCALL_STORE_TCP_STORE_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "net/env.h"
#include "net/tls/tls_files.h"
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

  // Set: over TLS. The server's certificate must be for `host`, or for tls_server_name if that is
  // not empty. A hosted server has settings of its own, in `server`.
  std::optional<net::TlsClientFiles> tls;
  std::string tls_server_name;
  // A file with the token to show to a server that asks for one (store/token_file.h; the first, if
  // there are several). In the modern dialect only.
  std::string token_file;
  // With a server that keeps a journal, a call returns when what it wrote is safe there, and goes
  // on over another connection when one breaks (docs/journal.md). False: as with any other server.
  bool resumes = true;

  absl::Duration timeout = kDefaultTimeout;
  protocol::Dialect dialect = protocol::Dialect::kModern;
  // Checked before anything is sent, since the server can only answer by hanging up. Raise them
  // with the server's.
  protocol::Limits limits;
};

namespace client {
class StoreClient;
}

class TcpStore : public Store {
 public:
  // Connects (and, as server, first listens), greets, and joins: all under one deadline,
  // now + options.timeout (zero counts as five seconds). Raises DistNetworkError (CONNECT_REFUSED,
  // CONNECT_NO_ANSWER, NAME_LOOKUP, NOT_A_STORE, TLS_FAILED, TOKEN_REJECTED, ADDRESS_IN_USE,
  // ...), DistStoreError (JOIN_TIMEOUT) and std::invalid_argument, which a file is that cannot be
  // read or is not what it should be. `env` must outlive the store and its clones.
  //
  // If a server cannot listen, but TORCHELASTIC_USE_AGENT_STORE is set and MASTER_PORT is its port,
  // the agent that started this process has one there: the store becomes its client, as in torch.
  TcpStore(net::Env& env, TcpStoreOptions options);
  // The same without exceptions: a status as of store/dist_error.h, or InvalidArgument.
  static absl::StatusOr<std::unique_ptr<TcpStore>> Open(net::Env& env, TcpStoreOptions options);
  // No call may be under way. A hosted server stops with the last store that shares it.
  ~TcpStore() override;

  using Store::Barrier;
  using Store::Get;
  using Store::QueuePop;
  using Store::Wait;

  // Set, Append, MultiSet and QueuePush have no reply on the wire, and return once the kernel has
  // the request: a lost server shows in a later call, which says that they may be lost. A lost
  // connection is an error at once, for every thread that waits; the next call connects anew.
  void Set(absl::string_view key, absl::string_view value) override;
  std::string CompareSet(absl::string_view key, absl::string_view expected,
                         absl::string_view desired) override;
  // A key that is deleted while it is being fetched can give an empty value.
  std::string Get(absl::string_view key, absl::Duration timeout) override;
  int64_t Add(absl::string_view key, int64_t delta) override;
  bool Check(absl::Span<const std::string> keys) override;
  void Wait(absl::Span<const std::string> keys, absl::Duration timeout) override;
  bool DeleteKey(absl::string_view key) override;
  int64_t NumKeys() override;
  bool HasExtendedApi() const override;
  void Append(absl::string_view key, absl::string_view value) override;
  std::vector<std::string> MultiGet(absl::Span<const std::string> keys) override;
  void MultiSet(absl::Span<const std::string> keys, absl::Span<const std::string> values) override;
  void QueuePush(absl::string_view key, absl::string_view value) override;
  std::string QueuePop(absl::string_view key, bool block, absl::Duration timeout) override;
  int64_t QueueLen(absl::string_view key) override;
  std::vector<std::string> ListKeys() override;
  void Barrier(absl::string_view key, int64_t world_size, absl::Duration timeout) override;
  absl::Duration timeout() const override;
  void SetTimeout(absl::Duration timeout) override;
  std::unique_ptr<Store> Clone() override;
  // "TcpStore(client=127.0.0.1:33000 -> 127.0.0.1:29500, server=[::]:29500 (epoll))"
  std::string Describe() const override;

  // Round trip to the server.
  void Ping();

  // From any thread, and as often as one likes: ends the calls that are under way in all threads,
  // at once, with DistNetworkError CLOSED, and makes all later ones fail with it. (A call that is
  // just connecting to a lost server anew ends when that attempt does, by its deadline.) Does not
  // wait for anything: what was written and not confirmed may be lost, as with a lost connection.
  // A hosted server serves on; clones are stores of their own. So a thread can be got out of a
  // wait before the store is destroyed.
  void Close();

  const std::string& host() const { return options_.host; }
  uint16_t port() const { return options_.port; }           // The real one, where 0 was asked for.
  bool libuvBackend() const { return options_.use_libuv; }  // As asked for, as torch has it.
  bool is_server() const { return server_ != nullptr; }
  StoreServer* server() { return server_.get(); }  // The hosted server, nullptr if none.

  // For the factory: the operations without exceptions.
  client::StoreClient& client() { return *client_; }

 private:
  struct Parts {
    TcpStoreOptions options;
    std::shared_ptr<StoreServer> server;
    std::unique_ptr<client::StoreClient> client;
  };
  static absl::StatusOr<Parts> Make(net::Env& env, TcpStoreOptions options);
  static Parts MakeOrThrow(net::Env& env, TcpStoreOptions options);
  TcpStore(net::Env& env, Parts parts);

  net::Env& env_;
  const TcpStoreOptions options_;  // With the real port.
  // Closed after the client, which would otherwise be told that its server went.
  const std::shared_ptr<StoreServer> server_;
  const std::unique_ptr<client::StoreClient> client_;
};

}  // namespace rollcall

#endif  // ROLLCALL_STORE_TCP_STORE_H_
