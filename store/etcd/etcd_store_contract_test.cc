// The contract, on a real etcd.
#include <atomic>
#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "net/real_env.h"
#include "store/etcd/etcd_options.h"
#include "store/etcd/etcd_store.h"
#include "store/store.h"
#include "testing/etcd_cluster.h"
#include "testing/store_contract.h"

namespace rollcall {
namespace {

class EtcdWorld : public StoreWorld {
 public:
  EtcdWorld() {
    static std::atomic<int> worlds = 0;
    prefix_ = absl::StrCat("/world", ++worlds);
  }

  std::unique_ptr<Store> Join() override {
    return EtcdStore::Open(net::RealEnv(), {.endpoints = SharedEtcdCluster().endpoints(),
                                            .prefix = prefix_,
                                            .timeout = absl::Seconds(30)})
        .value();
  }

 private:
  std::string prefix_;
};

// Ranks that are threads of one process, and share what they can.
class ClonesWorld : public StoreWorld {
 public:
  std::unique_ptr<Store> Join() override {
    if (first_ == nullptr) first_ = world_.Join();
    return first_->Clone();
  }

 private:
  EtcdWorld world_;
  std::unique_ptr<Store> first_;
};

INSTANTIATE_TEST_SUITE_P(Etcd, StoreContract,
                         testing::Values(ParamOf<EtcdWorld>("Etcd"),
                                         ParamOf<ClonesWorld>("EtcdClones"),
                                         ParamOf<PrefixWorld<EtcdWorld>>("PrefixEtcd")),
                         NameOfStoreContractParam);

}  // namespace
}  // namespace rollcall
