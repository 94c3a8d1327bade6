// A test's cluster of one member, and stores on it.
#ifndef ROLLCALL_STORE_ETCD_ETCD_FIXTURE_H_
#define ROLLCALL_STORE_ETCD_ETCD_FIXTURE_H_

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "absl/time/time.h"
#include "fault_injection/proxy/fault_proxy.h"
#include "glog/logging.h"
#include "gtest/gtest.h"
#include "net/env.h"
#include "net/real_env.h"
#include "net/syscalls.h"
#include "store/etcd/etcd_options.h"
#include "store/etcd/etcd_store.h"
#include "testing/etcd_cluster.h"

namespace rollcall {

class EtcdFixture : public testing::Test {
 protected:
  void StartCluster(EtcdClusterOptions options = {}) {
    absl::StatusOr<std::unique_ptr<EtcdCluster>> started = EtcdCluster::Start(std::move(options));
    CHECK(started.ok()) << started.status();
    cluster_ = *std::move(started);
  }
  EtcdCluster& cluster() { return *cluster_; }

  EtcdOptions Options(std::string prefix = "/job") {
    return {.endpoints = cluster_->endpoints(),
            .prefix = std::move(prefix),
            .timeout = absl::Seconds(30)};
  }
  std::unique_ptr<EtcdStore> Open(EtcdOptions options) {
    absl::StatusOr<std::unique_ptr<EtcdStore>> store = EtcdStore::Open(env(), std::move(options));
    CHECK(store.ok()) << store.status();
    return *std::move(store);
  }
  std::unique_ptr<EtcdStore> Open() { return Open(Options()); }

  // Between the member and who has its options; the route is called "etcd".
  std::unique_ptr<fault::FaultProxy> StartProxy() {
    int port = 0;
    CHECK(absl::SimpleAtoi(absl::StripPrefix(cluster_->endpoint(0), "127.0.0.1:"), &port));
    return fault::FaultProxy::Start(
               env(), &net::RealSyscalls(),
               {{.name = "etcd", .target = {"127.0.0.1", static_cast<uint16_t>(port)}}})
        .value();
  }
  EtcdOptions OptionsBehind(fault::FaultProxy& proxy) {
    EtcdOptions options = Options();
    options.endpoints = {absl::StrCat("127.0.0.1:", proxy.port("etcd"))};
    return options;
  }

  void RestartMember() {
    const absl::Status restarted = cluster_->Restart(0);
    CHECK(restarted.ok()) << restarted;
  }

  std::string Ctl(const std::vector<std::string>& arguments) {
    absl::StatusOr<std::string> output = cluster_->Ctl(arguments);
    EXPECT_TRUE(output.ok()) << output.status();
    return output.value_or("");
  }

  net::Env& env() { return net::RealEnv(); }

 private:
  std::unique_ptr<EtcdCluster> cluster_;
};

}  // namespace rollcall

#endif  // ROLLCALL_STORE_ETCD_ETCD_FIXTURE_H_
