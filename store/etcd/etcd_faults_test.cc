// The fault suite, on EtcdStores.
#include <memory>

#include "absl/time/time.h"
#include "glog/logging.h"
#include "gtest/gtest.h"
#include "net/real_env.h"
#include "store/etcd/etcd_fault_suite.h"
#include "store/etcd/etcd_options.h"
#include "store/etcd/etcd_store.h"

namespace rollcall {
namespace {

std::unique_ptr<Store> JoinEtcd(EtcdCluster& cluster, int) {
  absl::StatusOr<std::unique_ptr<EtcdStore>> store = EtcdStore::Open(
      net::RealEnv(),
      {.endpoints = cluster.endpoints(), .prefix = "/job", .timeout = absl::Minutes(1)});
  CHECK(store.ok()) << store.status();
  return *std::move(store);
}

INSTANTIATE_TEST_SUITE_P(Etcd, EtcdFaultSuite,
                         testing::Values(EtcdFaultParam{.name = "Etcd", .join = JoinEtcd}),
                         NameOfEtcdFaultParam);

}  // namespace
}  // namespace rollcall
