// The vocabulary of tests of TLS and tokens between a TcpStore and a server: over real sockets, on
// each event loop.
#ifndef ROLLCALL_STORE_SECURITY_SCENARIO_H_
#define ROLLCALL_STORE_SECURITY_SCENARIO_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "net/address.h"
#include "net/connection.h"
#include "net/env.h"
#include "net/event_loop.h"
#include "net/real_env.h"
#include "net/tls/tls_files.h"
#include "store/dist_error.h"
#include "store/error_code.h"
#include "store/server/server_options.h"
#include "store/server/store_server.h"
#include "store/store.h"
#include "store/tcp_store.h"
#include "testing/tls_directory.h"

namespace rollcall {

// Which event loop a server runs on, and on how many of them.
struct Loops {
  net::EventLoopKind kind = net::EventLoopKind::kEpoll;
  int count = 1;
};

class SecurityScenario : public testing::TestWithParam<Loops> {
 protected:
  ServerOptions ServerWith(net::TlsServerFiles tls) {
    ServerOptions options;
    options.host = "127.0.0.1";
    options.event_loop = GetParam().kind;
    options.io_threads = GetParam().count;
    options.tls = std::move(tls);
    return options;
  }
  void Serve(const ServerOptions& options) {
    absl::StatusOr<std::unique_ptr<StoreServer>> server = StoreServer::Start(env_, options);
    ASSERT_TRUE(server.ok()) << server.status();
    server_ = *std::move(server);
  }
  std::string TokenFile(absl::string_view tokens) { return files_.Write("tokens", tokens); }

  TcpStoreOptions Client() {
    TcpStoreOptions options;
    options.host = "127.0.0.1";
    options.port = server_->port();
    options.timeout = absl::Seconds(30);
    return options;
  }
  TcpStoreOptions Client(net::TlsClientFiles tls) {
    TcpStoreOptions options = Client();
    options.port = server_->tls_port().value_or(server_->port());
    options.tls = std::move(tls);
    return options;
  }
  std::unique_ptr<TcpStore> Open(const TcpStoreOptions& options) {
    absl::StatusOr<std::unique_ptr<TcpStore>> store = TcpStore::Open(env_, options);
    EXPECT_TRUE(store.ok()) << store.status();
    return *std::move(store);
  }
  // "TLS_FAILED: why"
  std::string Failure(const TcpStoreOptions& options) {
    const absl::Status why = TcpStore::Open(env_, options).status();
    if (why.ok()) return "OK";
    // At once, and not when its time is over.
    EXPECT_LT(DetailsOf(why).elapsed, absl::Seconds(20));
    return std::string(ErrorCodeName(CodeOf(why))) + ": " + std::string(why.message());
  }
  void ExpectServed(Store& store) {
    store.Set("key", "value");
    EXPECT_EQ(store.Get("key", absl::Seconds(30)), "value");
  }
  std::unique_ptr<net::Connection> RawClient(uint16_t port) {
    return *env_.ConnectAny({net::SocketAddress::LoopbackV4(port)}, Soon());
  }
  // All that comes until the other side ends it.
  std::string HearToTheEnd(net::Connection& connection) {
    std::string heard;
    char buffer[100];
    while (true) {
      const absl::StatusOr<size_t> count = connection.Read(buffer, sizeof(buffer), Soon());
      if (!count.ok()) return heard;
      heard.append(buffer, *count);
    }
  }
  absl::Time Soon() { return env_.Now() + absl::Seconds(30); }

  net::Env& env_ = net::RealEnv();
  TlsDirectory files_{env_.Now()};
  std::unique_ptr<StoreServer> server_;
};

// What every suite is instantiated with.
inline auto EveryLoops() {
  return testing::Values(Loops{net::EventLoopKind::kEpoll, 1}, Loops{net::EventLoopKind::kLibuv, 1},
                         Loops{net::EventLoopKind::kEpoll, 3});
}
inline std::string LoopsName(const testing::TestParamInfo<Loops>& info) {
  return absl::StrCat(net::EventLoopKindName(info.param.kind), info.param.count);
}

}  // namespace rollcall

#endif  // ROLLCALL_STORE_SECURITY_SCENARIO_H_
