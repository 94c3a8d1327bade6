// The client and the server of production in one world: each rank a process on a host of its own.
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "fault_injection/determinism.h"
#include "fault_injection/sim_env.h"
#include "fault_injection/sim_net.h"
#include "fault_injection/world.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "net/env.h"
#include "store/dist_error.h"
#include "store/error_code.h"
#include "store/store.h"
#include "store/tcp_store.h"

namespace rollcall::fault {
namespace {

using testing::IsEmpty;

constexpr int kRanks = 16;

// Hosts "w0" to "w15", of which the first runs the server too.
class Ranks {
 public:
  explicit Ranks(World& world) : world_(world), net_(&world) {
    for (int rank = 0; rank < kRanks; ++rank) {
      const std::string host = absl::StrCat("w", rank);
      SimKernel& kernel = net_.AddHost(host, {absl::StrCat("10.0.0.", rank + 1)});
      envs_.push_back(std::make_unique<SimEnv>(&world, &kernel, SimProcess{.host = host}));
    }
  }

  // Runs `body` on every rank once it has joined; until the end of them all.
  absl::Status Run(const std::function<void(int rank, net::Env&, Store&)>& body) {
    for (int rank = 0; rank < kRanks; ++rank) {
      net::Env& env = *envs_[rank];
      envs_[rank]->Start([&env, rank, &body] {
        TcpStoreOptions options;
        options.host = "w0";
        options.is_server = rank == 0;
        options.world_size = kRanks;
        TcpStore store(env, options);
        body(rank, env, store);
        // The server goes last.
        store.Barrier("end", kRanks);
        if (rank == 0) env.SleepUntil(env.Now() + absl::Seconds(1));
      });
    }
    return world_.Run();
  }

  void ExpectNothingLeft() {
    for (const auto& kernel : net_.hosts()) {
      EXPECT_EQ(kernel->usage().descriptors, 0) << kernel->host_name() << "\n" << net_.Sockets();
    }
    EXPECT_THAT(world_.abandoned(), IsEmpty());
  }

 private:
  World& world_;
  SimNet net_;
  std::vector<std::unique_ptr<SimEnv>> envs_;
};

void Meet(World& world) {
  Ranks ranks(world);
  EXPECT_EQ(ranks.Run([](int rank, net::Env&, Store& store) {
    store.Set(absl::StrCat("rank", rank), absl::StrCat("address of ", rank));
    for (int other = 0; other < kRanks; ++other) {
      EXPECT_EQ(store.Get(absl::StrCat("rank", other)), absl::StrCat("address of ", other));
    }
  }),
            absl::OkStatus());
  ranks.ExpectNothingLeft();
}

TEST(SimTcpStoreTest, SixteenRanksMeet) {
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    World world({.seed = seed});
    Meet(world);
    EXPECT_LT(world.elapsed(), absl::Seconds(2));
  }
}

TEST(SimTcpStoreTest, EachRunOfASeedIsTheSame) {
  for (uint64_t seed = 1; seed <= 5; ++seed) {
    EXPECT_EQ(RunTwiceAndCompare({.seed = seed}, Meet), absl::OkStatus());
  }
}

TEST(SimTcpStoreTest, AWaitOfTwoMinutesEndsExactlyThen) {
  World world;
  Ranks ranks(world);
  std::optional<absl::Duration> waited;
  EXPECT_EQ(ranks.Run([&](int rank, net::Env& env, Store& store) {
    if (rank != 7) return;
    const absl::Time begin = env.Now();
    try {
      store.Wait({"never"}, absl::Minutes(2));
    } catch (const DistStoreError& error) {
      EXPECT_EQ(error.code(), ErrorCode::kWaitTimeout);
    }
    waited = env.Now() - begin;
  }),
            absl::OkStatus());
  EXPECT_EQ(waited, absl::Minutes(2));
  ranks.ExpectNothingLeft();
}

}  // namespace
}  // namespace rollcall::fault
