// A server of one's own for each test of TcpStore, on either event loop.
#ifndef ROLLCALL_STORE_TCP_STORE_FIXTURE_H_
#define ROLLCALL_STORE_TCP_STORE_FIXTURE_H_

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "net/real_env.h"
#include "store/tcp_store.h"

namespace rollcall {

// The parameter: use_libuv.
class TcpStoreTest : public testing::TestWithParam<bool> {
 protected:
  TcpStoreOptions ServerOptionsOf() {
    TcpStoreOptions options;
    options.host = "127.0.0.1";
    options.port = 0;
    options.is_server = true;
    options.use_libuv = GetParam();
    options.timeout = absl::Seconds(30);
    return options;
  }
  std::unique_ptr<TcpStore> NewHost() { return NewStore(ServerOptionsOf()); }
  std::unique_ptr<TcpStore> NewStore(const TcpStoreOptions& options) {
    return std::make_unique<TcpStore>(env_, options);
  }
  TcpStoreOptions ClientOptionsOf(const TcpStore& host) {
    TcpStoreOptions options;
    options.host = "127.0.0.1";
    options.port = host.port();
    options.timeout = absl::Seconds(30);
    return options;
  }
  std::unique_ptr<TcpStore> NewClient(const TcpStore& host) {
    return NewStore(ClientOptionsOf(host));
  }

  // So that workers can know the port before the host is there.
  void TakeOverFreePort(TcpStoreOptions& options) {
    const auto socket = env_.Listen({.host = "127.0.0.1", .port = 0}).value();
    options.port = socket->address().port();
    options.listen_fd = socket->Release();
  }

  std::unique_ptr<net::Thread> Start(std::function<void()> body) {
    return env_.StartThread("test", std::move(body));
  }

  // Returns once the condition holds; it must within ten seconds.
  void Until(const std::function<bool()>& condition) {
    const absl::Time deadline = env_.Now() + absl::Seconds(10);
    while (!condition()) {
      ASSERT_LT(env_.Now(), deadline);
      env_.SleepUntil(env_.Now() + absl::Milliseconds(1));
    }
  }
  void UntilWaiting(TcpStore& host, size_t clients) {
    Until([&] { return host.server()->stats().waiting_clients == clients; });
  }

  net::Env& env_ = net::RealEnv();
};

inline std::string BackendName(const testing::TestParamInfo<bool>& info) {
  return info.param ? "libuv" : "epoll";
}

}  // namespace rollcall

#endif  // ROLLCALL_STORE_TCP_STORE_FIXTURE_H_
