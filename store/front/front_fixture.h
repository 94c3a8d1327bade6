// Fronts of a test's cluster, and clients that come by them.
#ifndef ROLLCALL_STORE_FRONT_FRONT_FIXTURE_H_
#define ROLLCALL_STORE_FRONT_FRONT_FIXTURE_H_

#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "glog/logging.h"
#include "net/address.h"
#include "store/etcd/etcd_fixture.h"
#include "store/front/front_engine.h"
#include "store/front/front_options.h"
#include "store/server/server_options.h"
#include "store/server/store_server.h"
#include "store/tcp_store.h"
#include "testing/server_scenario.h"

namespace rollcall {

class FrontFixture : public EtcdFixture {
 protected:
  std::unique_ptr<StoreServer> StartFront(FrontOptions options, ServerOptions server = {}) {
    server.host = "127.0.0.1";
    absl::StatusOr<std::unique_ptr<StoreServer>> front =
        StoreServer::Start(env(), server, NewFrontEngine(std::move(options)));
    CHECK(front.ok()) << front.status();
    return *std::move(front);
  }
  std::unique_ptr<StoreServer> StartFront() { return StartFront({.etcd = Options()}); }

  TcpStoreOptions ClientOptions(uint16_t port) {
    TcpStoreOptions options;
    options.host = "127.0.0.1";
    options.port = port;
    options.timeout = absl::Minutes(1);
    return options;
  }
  std::unique_ptr<TcpStore> Join(uint16_t port) {
    return std::make_unique<TcpStore>(env(), ClientOptions(port));
  }
  std::unique_ptr<TcpStore> Join(const StoreServer& front) { return Join(front.port()); }
  RawPeer Peer(const StoreServer& front) {
    return RawPeer(env(), net::SocketAddress::LoopbackV4(front.port()));
  }

  // The last incident's code and reason, as whoever looks at the front sees them.
  std::string LastIncident(StoreServer& front) {
    const absl::StatusOr<ServerSnapshot> snapshot = front.Snapshot(env().Now() + absl::Seconds(30));
    CHECK(snapshot.ok()) << snapshot.status();
    if (snapshot->incidents.empty()) return "";
    const Incident& last = snapshot->incidents.back();
    return std::string(InfoOf(last.kind).code) + ": " + last.reason;
  }
};

}  // namespace rollcall

#endif  // ROLLCALL_STORE_FRONT_FRONT_FIXTURE_H_
