// The contract, on a real server over real sockets.
#include <memory>
#include <string>
#include <utility>

#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "net/event_loop.h"
#include "net/real_env.h"
#include "net/tls/tls_files.h"
#include "store/server/store_server.h"
#include "store/store.h"
#include "store/tcp_store.h"
#include "testing/store_contract.h"
#include "testing/tls_directory.h"

namespace rollcall {
namespace {

template <net::EventLoopKind kLoop>
class TcpWorld : public StoreWorld {
 public:
  std::unique_ptr<Store> Join() override {
    TcpStoreOptions options;
    options.host = "127.0.0.1";
    options.port = server_->port();
    options.timeout = absl::Seconds(30);
    return std::make_unique<TcpStore>(net::RealEnv(), options);
  }

 private:
  const std::unique_ptr<StoreServer> server_ =
      StoreServer::Start(net::RealEnv(), {.host = "127.0.0.1", .event_loop = kLoop}).value();
};

// Both sides prove who they are, and the client shows a token too.
template <net::EventLoopKind kLoop>
class TlsWorld : public StoreWorld {
 public:
  std::unique_ptr<Store> Join() override {
    TcpStoreOptions options;
    options.host = "127.0.0.1";
    options.port = server_->port();
    options.tls = client_;
    options.token_file = token_file_;
    options.timeout = absl::Seconds(30);
    return std::make_unique<TcpStore>(net::RealEnv(), options);
  }

 private:
  TlsDirectory files_{net::RealEnv().Now()};
  const net::TlsClientFiles client_ = files_.Client(/*known=*/true);
  const std::string token_file_ = files_.Write("tokens", "the_token_of_the_suite");
  const std::unique_ptr<StoreServer> server_ =
      StoreServer::Start(net::RealEnv(), {.host = "127.0.0.1",
                                          .event_loop = kLoop,
                                          .tls = files_.Server(/*mutual=*/true),
                                          .token_file = token_file_})
          .value();
};

// The first to join hosts the server, as rank 0 of a torch job does.
class HostedWorld : public StoreWorld {
 public:
  std::unique_ptr<Store> Join() override {
    TcpStoreOptions options;
    options.host = "127.0.0.1";
    options.port = host_ == nullptr ? uint16_t{0} : host_->port();
    options.is_server = host_ == nullptr;
    options.world_size = 1;
    options.timeout = absl::Seconds(30);
    auto store = std::make_unique<TcpStore>(net::RealEnv(), options);
    if (host_ != nullptr) return store;
    host_ = std::move(store);
    return host_->Clone();
  }

 private:
  std::unique_ptr<TcpStore> host_;
};

using EpollWorld = TcpWorld<net::EventLoopKind::kEpoll>;
using LibuvWorld = TcpWorld<net::EventLoopKind::kLibuv>;
using TlsEpollWorld = TlsWorld<net::EventLoopKind::kEpoll>;
using TlsLibuvWorld = TlsWorld<net::EventLoopKind::kLibuv>;

INSTANTIATE_TEST_SUITE_P(Tcp, StoreContract,
                         testing::Values(ParamOf<EpollWorld>("Epoll"), ParamOf<LibuvWorld>("Libuv"),
                                         ParamOf<TlsEpollWorld>("TlsEpoll"),
                                         ParamOf<TlsLibuvWorld>("TlsLibuv"),
                                         ParamOf<HostedWorld>("Hosted", 1),  // init/
                                         ParamOf<PrefixWorld<EpollWorld>>("PrefixEpoll"),
                                         ParamOf<PrefixWorld<LibuvWorld>>("PrefixLibuv")),
                         NameOfStoreContractParam);

}  // namespace
}  // namespace rollcall
