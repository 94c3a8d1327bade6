// The fault suite of etcd, on TcpStores that come by two fronts.
#include <map>
#include <memory>
#include <vector>

#include "absl/time/time.h"
#include "glog/logging.h"
#include "gtest/gtest.h"
#include "net/real_env.h"
#include "store/etcd/etcd_fault_suite.h"
#include "store/front/front_engine.h"
#include "store/front/front_options.h"
#include "store/server/store_server.h"
#include "store/tcp_store.h"
#include "testing/etcd_cluster.h"

namespace rollcall {
namespace {

constexpr size_t kFronts = 2;

// The fronts of the test at hand.
class Fronts : public EtcdFaultSubject {
 public:
  explicit Fronts(EtcdCluster& cluster) {
    for (size_t i = 0; i < kFronts; ++i) {
      absl::StatusOr<std::unique_ptr<StoreServer>> front =
          StoreServer::Start(net::RealEnv(), {.host = "127.0.0.1"},
                             NewFrontEngine({.etcd = {.endpoints = cluster.endpoints(),
                                                      .prefix = "/job",
                                                      .timeout = absl::Minutes(1)}}));
      CHECK(front.ok()) << front.status();
      fronts_.push_back(*std::move(front));
    }
  }

  std::unique_ptr<Store> Join(int rank) override {
    TcpStoreOptions options;
    options.host = "127.0.0.1";
    options.port = fronts_[static_cast<size_t>(rank) % kFronts]->port();
    options.timeout = absl::Minutes(1);
    return std::make_unique<TcpStore>(net::RealEnv(), options);
  }

  // Longer than a front's patience.
  absl::Duration time_to_fail() const override { return absl::Minutes(1); }
  // A client is hung up on, and its front says why.
  std::string WhyItFailed(const DistError& error) override {
    EXPECT_EQ(error.code(), ErrorCode::kConnectionLost) << error.what();
    std::string reasons;
    for (const std::unique_ptr<StoreServer>& front : fronts_) {
      const absl::StatusOr<ServerSnapshot> snapshot =
          front->Snapshot(net::RealEnv().Now() + absl::Minutes(1));
      CHECK(snapshot.ok()) << snapshot.status();
      for (const Incident& incident : snapshot->incidents) reasons += incident.reason + "\n";
    }
    return reasons;
  }

  std::unique_ptr<Store> GoOn(std::unique_ptr<Store> /*store*/, int rank) override {
    return Join(rank);
  }
  void AwaitWaiting(size_t ranks) override {
    const auto waiting = [&] {
      size_t clients = 0;
      for (const auto& front : fronts_) clients += front->stats().waiting_clients;
      return clients;
    };
    while (waiting() < ranks) net::RealEnv().SleepUntil(net::RealEnv().Now());
  }

 private:
  std::vector<std::unique_ptr<StoreServer>> fronts_;
};

INSTANTIATE_TEST_SUITE_P(
    Front, EtcdFaultSuite,
    testing::Values(EtcdFaultParam{
        .name = "TwoFronts",
        .new_subject = [](EtcdCluster& cluster) { return std::make_unique<Fronts>(cluster); }}),
    NameOfEtcdFaultParam);

}  // namespace
}  // namespace rollcall
