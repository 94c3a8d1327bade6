// The suite that this system was asked for from: the eight tests of torchelastic's
// test/distributed/elastic/utils/distributed_test.py, on both backends, with real processes.
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "net/real_env.h"
#include "store/dist_error.h"
#include "store/factory.h"
#include "store/tcp_store.h"
#include "testing/subprocess.h"

namespace rollcall {
namespace {

class DistributedUtilTest : public testing::TestWithParam<bool> {
 protected:
  std::string HostName() { return env_.HostName(); }

  C10dStoreOptions Options(bool is_server) {
    C10dStoreOptions options;
    options.is_server = is_server;
    options.server_addr = HostName();
    options.use_libuv = GetParam();
    return options;
  }
  std::unique_ptr<TcpStore> Create(const C10dStoreOptions& options) {
    return CreateC10dStore(env_, options);
  }

  std::unique_ptr<Subprocess> StartWorker(const TcpStore& server, int world_size) {
    return Subprocess::Start({.argv = {RunfilePath("store/factory_seed_worker"), HostName(),
                                       absl::StrCat(server.port()), absl::StrCat(world_size)},
                              .environment = {},
                              .stdin_text = ""})
        .value();
  }

  net::Env& env_ = net::RealEnv();
};

INSTANTIATE_TEST_SUITE_P(Backend, DistributedUtilTest, testing::Bool(),
                         [](const auto& param) { return param.param ? "libuv" : "epoll"; });

TEST_P(DistributedUtilTest, CreateStoreSingleServer) {
  EXPECT_NE(Create(Options(/*is_server=*/true)), nullptr);
}

TEST_P(DistributedUtilTest, CreateStoreNoPortMulti) {
  C10dStoreOptions options = Options(/*is_server=*/true);
  options.world_size = 2;
  EXPECT_THROW(Create(options), std::invalid_argument);
}

TEST_P(DistributedUtilTest, CreateStoreMulti) {
  C10dStoreOptions options = Options(/*is_server=*/true);
  options.server_port = 0;
  options.timeout = absl::Seconds(20);  // Two in the original: not enough under a sanitizer.
  options.world_size = 3;
  options.wait_for_workers = false;
  const auto store = Create(options);

  const auto worker0 = StartWorker(*store, options.world_size);
  const auto worker1 = StartWorker(*store, options.world_size);
  const absl::Time deadline = absl::Now() + absl::Seconds(30);
  EXPECT_EQ(worker0->WaitForExit(deadline).value(), 0) << worker0->StderrSoFar();
  EXPECT_EQ(worker1->WaitForExit(deadline).value(), 0) << worker1->StderrSoFar();

  EXPECT_EQ(store->Get(absl::StrCat("test_key/", worker0->pid())), "test_value");
  EXPECT_EQ(store->Get(absl::StrCat("test_key/", worker1->pid())), "test_value");
}

TEST_P(DistributedUtilTest, CreateStoreTimeoutOnServer) {
  C10dStoreOptions options = Options(/*is_server=*/true);
  options.server_port = 0;
  options.world_size = 2;
  options.timeout = absl::Seconds(1);
  EXPECT_THROW(Create(options), DistStoreError);
}

TEST_P(DistributedUtilTest, CreateStoreTimeoutOnWorker) {
  C10dStoreOptions options = Options(/*is_server=*/false);
  options.server_port = 0;
  options.world_size = 2;
  options.timeout = absl::Seconds(1);
  EXPECT_THROW(Create(options), DistNetworkError);
}

TEST_P(DistributedUtilTest, CreateStoreWithLibuvSupport) {
  C10dStoreOptions options = Options(/*is_server=*/true);
  options.server_port = 0;
  options.timeout = absl::Seconds(20);
  options.world_size = 1;
  options.wait_for_workers = false;
  EXPECT_EQ(Create(options)->libuvBackend(), GetParam());
}

TEST_P(DistributedUtilTest, PortAlreadyInUseOnServer) {
  C10dStoreOptions options = Options(/*is_server=*/true);
  options.server_port = 0;
  options.timeout = absl::Seconds(20);
  const auto store1 = Create(options);
  C10dStoreOptions on_same_port = Options(/*is_server=*/true);
  on_same_port.server_port = store1->port();
  // Its time-out is ten minutes: the error must come at once.
  EXPECT_THROW(Create(on_same_port), std::runtime_error);
}

TEST_P(DistributedUtilTest, PortAlreadyInUseOnWorker) {
  const auto sock = GetSocketWithPort(env_);
  C10dStoreOptions options = Options(/*is_server=*/false);
  options.server_port = sock->address().port();
  options.timeout = absl::Seconds(1);
  // On a worker a taken port is no conflict. It times out, since there never was a server.
  EXPECT_THROW(Create(options), DistNetworkError);
}

}  // namespace
}  // namespace rollcall
