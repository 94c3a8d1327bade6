// The fault suite, on EtcdStores.
#include <memory>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "glog/logging.h"
#include "gtest/gtest.h"
#include "net/real_env.h"
#include "store/etcd/etcd_fault_suite.h"
#include "store/etcd/etcd_options.h"
#include "store/etcd/etcd_store.h"

namespace rollcall {
namespace {

class EtcdStores : public EtcdFaultSubject {
 public:
  explicit EtcdStores(EtcdCluster& cluster) : endpoints_(cluster.endpoints()) {}

  std::unique_ptr<Store> Join(int) override {
    absl::StatusOr<std::unique_ptr<EtcdStore>> store = EtcdStore::Open(
        net::RealEnv(), {.endpoints = endpoints_, .prefix = "/job", .timeout = absl::Minutes(1)});
    CHECK(store.ok()) << store.status();
    return *std::move(store);
  }

 private:
  const std::vector<std::string> endpoints_;
};

INSTANTIATE_TEST_SUITE_P(
    Etcd, EtcdFaultSuite,
    testing::Values(EtcdFaultParam{
        .name = "Etcd",
        .new_subject = [](EtcdCluster& cluster) { return std::make_unique<EtcdStores>(cluster); }}),
    NameOfEtcdFaultParam);

}  // namespace
}  // namespace rollcall
