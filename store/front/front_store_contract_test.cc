// The store contract, on TcpStores that come by fronts of a real etcd.
#include <atomic>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "glog/logging.h"
#include "gtest/gtest.h"
#include "net/real_env.h"
#include "store/front/front_engine.h"
#include "store/front/front_options.h"
#include "store/server/store_server.h"
#include "store/store.h"
#include "store/tcp_store.h"
#include "testing/etcd_cluster.h"
#include "testing/store_contract.h"

namespace rollcall {
namespace {

std::string NewPrefix() {
  static std::atomic<int> worlds = 0;
  return absl::StrCat("/world", ++worlds);
}

// Who joins comes by the next front.
template <size_t kFronts>
class FrontWorld : public StoreWorld {
 public:
  FrontWorld() {
    const std::string prefix = NewPrefix();
    for (size_t i = 0; i < kFronts; ++i) {
      absl::StatusOr<std::unique_ptr<StoreServer>> started = StoreServer::Start(
          net::RealEnv(), {.host = "127.0.0.1"},
          NewFrontEngine(
              {.etcd = {.endpoints = SharedEtcdCluster().endpoints(), .prefix = prefix}}));
      CHECK(started.ok()) << started.status();
      fronts_.push_back(*std::move(started));
    }
  }

  std::unique_ptr<Store> Join() override {
    TcpStoreOptions options;
    options.host = "127.0.0.1";
    options.port = fronts_[next_++ % fronts_.size()]->port();
    options.timeout = absl::Seconds(30);
    return std::make_unique<TcpStore>(net::RealEnv(), options);
  }

 private:
  std::vector<std::unique_ptr<StoreServer>> fronts_;
  std::atomic<size_t> next_ = 0;
};

INSTANTIATE_TEST_SUITE_P(Front, StoreContract,
                         testing::Values(ParamOf<FrontWorld<1>>("OneFront"),
                                         ParamOf<FrontWorld<2>>("TwoFronts"),
                                         ParamOf<PrefixWorld<FrontWorld<2>>>("PrefixTwoFronts")),
                         NameOfStoreContractParam);

}  // namespace
}  // namespace rollcall
