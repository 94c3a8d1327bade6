// The proxy as a host of its own in a simulated network that is itself uneven.
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "fault_injection/determinism.h"
#include "fault_injection/proxy/fault_proxy.h"
#include "fault_injection/sim_env.h"
#include "fault_injection/sim_net.h"
#include "fault_injection/sim_net_options.h"
#include "fault_injection/world.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "store/server/server_options.h"
#include "store/server/store_server.h"
#include "store/tcp_store.h"

namespace rollcall::fault {
namespace {

constexpr int kRanks = 4;
constexpr uint16_t kPort = 29500;

// Host "server", host "proxy" with a route for each worker, hosts "w0" to "w3".
class ProxiedRanks {
 public:
  explicit ProxiedRanks(World& world) : world_(world), net_(&world, Uneven()) {
    AddHost("server", "10.0.0.1");
    AddHost("proxy", "10.0.0.2");
    for (int rank = 0; rank < kRanks; ++rank) {
      AddHost(absl::StrCat("w", rank), absl::StrCat("10.0.1.", rank + 1));
    }
  }

  void Run() {
    envs_[0]->Start([this] { Serve(*envs_[0]); });
    envs_[1]->Start([this] { Disturb(*envs_[1]); });
    for (int rank = 0; rank < kRanks; ++rank) {
      envs_[2 + rank]->Start([this, rank] { Meet(*envs_[2 + rank], rank); });
    }
    EXPECT_EQ(world_.Run(), absl::OkStatus()) << net_.Sockets();
    for (const auto& kernel : net_.hosts()) {
      EXPECT_EQ(kernel->usage().descriptors, 0) << kernel->host_name() << "\n" << net_.Sockets();
    }
    EXPECT_THAT(world_.abandoned(), testing::IsEmpty());
  }

 private:
  static SimNetOptions Uneven() {
    SimNetOptions options;
    options.link.jitter = absl::Microseconds(300);
    options.short_transfer_percent = 20;
    return options;
  }

  void AddHost(const std::string& name, const std::string& address) {
    SimKernel& kernel = net_.AddHost(name, {address});
    envs_.push_back(std::make_unique<SimEnv>(&world_, &kernel, SimProcess{.host = name}));
  }

  void Serve(net::Env& env) {
    // Late: the proxy refuses until then.
    env.SleepUntil(env.Now() + absl::Milliseconds(30));
    ServerOptions options;
    options.port = kPort;
    const auto server = StoreServer::Start(env, options).value();
    while (finished_ < kRanks) env.SleepUntil(env.Now() + absl::Milliseconds(10));
  }

  void Disturb(net::Env& env) {
    std::vector<Route> routes;
    for (int rank = 0; rank < kRanks; ++rank) {
      Route route;
      route.name = absl::StrCat("w", rank);
      route.target = {.host = "server", .port = kPort};
      route.listen_host = "10.0.0.2";
      route.port = static_cast<uint16_t>(kPort + rank);
      routes.push_back(route);
    }
    const auto proxy = FaultProxy::Start(env, &net_.host("proxy"), routes).value();
    proxy->Slice("w0", Direction::kToServer, 3, absl::Microseconds(10));
    proxy->SetLatency("w1", Direction::kToClient, absl::Milliseconds(5), absl::Milliseconds(5));
    proxy->AcceptThenClose("w2", Ending::kReset, 2);
    proxy->BlackHole("w3");
    env.SleepUntil(env.Now() + absl::Milliseconds(100));
    proxy->HealBlackHole("w3");
    proxy->Cut("w1", Direction::kToServer);
    env.SleepUntil(env.Now() + absl::Seconds(3));
    proxy->HealAll("");
    while (finished_ < kRanks) env.SleepUntil(env.Now() + absl::Milliseconds(10));
    EXPECT_GT(proxy->stats("w0").to_server.sliced, 0);
    EXPECT_EQ(proxy->stats("w2").turned_away, 2);
  }

  void Meet(net::Env& env, int rank) {
    {
      TcpStoreOptions options;
      options.host = "proxy";
      options.port = static_cast<uint16_t>(kPort + rank);
      options.rank = rank;
      TcpStore store(env, options);
      store.Set(absl::StrCat("rank", rank), absl::StrCat("address of ", rank));
      for (int other = 0; other < kRanks; ++other) {
        EXPECT_EQ(store.Get(absl::StrCat("rank", other)), absl::StrCat("address of ", other));
      }
    }
    ++finished_;
  }

  World& world_;
  SimNet net_;
  std::vector<std::unique_ptr<SimEnv>> envs_;
  int finished_ = 0;
};

TEST(FaultProxySimTest, RanksMeetThroughWhateverHealsInTheEnd) {
  for (uint64_t seed = 1; seed <= 30; ++seed) {
    World world({.seed = seed});
    ProxiedRanks(world).Run();
    EXPECT_LT(world.elapsed(), absl::Seconds(30)) << "seed " << seed;
  }
}

TEST(FaultProxySimTest, EachRunOfASeedIsTheSame) {
  for (uint64_t seed = 1; seed <= 5; ++seed) {
    EXPECT_EQ(RunTwiceAndCompare({.seed = seed}, [](World& world) { ProxiedRanks(world).Run(); }),
              absl::OkStatus());
  }
}

}  // namespace
}  // namespace rollcall::fault
