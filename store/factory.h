// From options or a URL to a Store.
#ifndef ROLLCALL_STORE_FACTORY_H_
#define ROLLCALL_STORE_FACTORY_H_

#include <cstdint>
#include <memory>
#include <string>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "net/connection.h"
#include "net/env.h"
#include "store/store.h"
#include "store/tcp_store.h"

namespace rollcall {

// The arguments of torchelastic's create_c10d_store, with its defaults.
struct C10dStoreOptions {
  bool is_server = false;
  std::string server_addr;
  // -1: not given; only allowed where world_size is 1. 0: the system picks one (server only).
  int server_port = -1;
  int world_size = 1;
  absl::Duration timeout = absl::Minutes(10);
  // Everybody waits until all world_size workers have joined.
  bool wait_for_workers = true;
  bool use_libuv = true;
  // How often a port that the factory itself picked is picked anew when somebody else was faster. A
  // port that was asked for is tried once.
  int retries = 3;
  // >= 0: so that a time-out can name the ranks that did not come.
  int rank = -1;
};

// Raises std::invalid_argument for contradicting options, DistNetworkError if the server cannot
// listen or be reached, DistStoreError (JOIN_TIMEOUT) if workers are missing.
std::unique_ptr<TcpStore> CreateC10dStore(net::Env& env, const C10dStoreOptions& options);

// A listening socket on a free port of localhost.
std::unique_ptr<net::ListeningSocket> GetSocketWithPort(net::Env& env);
// A port that was free a moment ago. Racy by design: prefer port 0, or GetSocketWithPort with
// TcpStoreOptions::listen_fd.
uint16_t GetFreePort(net::Env& env);

struct StoreUrlOptions {
  // -1: taken from the URL or the environment.
  int rank = -1;
  int world_size = -1;
  absl::Duration timeout = absl::Minutes(30);
};

// "tcp://host:port?rank=0&world_size=4[&use_libuv=0]": rank 0 hosts the server. With is_server=0 it
// does not, because one runs there already. token_file=PATH: as in TcpStoreOptions, and for the
// server that is hosted too. resumes=0: as TcpStoreOptions::resumes, false.
// "tls://host:port?...": the same over TLS. Paths of PEM files: ca=PATH, who may have signed the
// server's certificate (else whom this system trusts); cert=PATH and key=PATH, for a server that
// asks for them, and for the one that rank 0 hosts, which must have them; client_ca=PATH, whose
// clients the hosted server takes. server_name=NAME: whom the certificate is for, if not for the
// host.
// "file:///path?rank=0&world_size=4"
// "env://": MASTER_ADDR, MASTER_PORT, RANK, WORLD_SIZE; with TORCHELASTIC_USE_AGENT_STORE=True all
// ranks are clients of the agent's server.
// "etcd://host:2379,host:2379/prefix[?ttl=60s][&tls=1&ca=FILE&cert=FILE&key=FILE]
//  [&user=NAME&password_file=FILE]": in an etcd cluster (store/etcd/etcd_store.h, docs/etcd.md).
// Raises std::invalid_argument that names the missing part in torch's words.
std::unique_ptr<Store> CreateStore(net::Env& env, absl::string_view url,
                                   const StoreUrlOptions& options = {});

}  // namespace rollcall

#endif  // ROLLCALL_STORE_FACTORY_H_
