// Fronts as processes, of which one is killed while ranks work: its clients' connections break, as
// any server's would, and nothing else does.
#include <signal.h>

#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "store/front/front_fixture.h"
#include "testing/dist_error_matchers.h"
#include "testing/subprocess.h"

namespace rollcall {
namespace {

constexpr int kRanks = 6;
constexpr int kAdds = 80;

class FrontKilledTest : public FrontFixture {
 protected:
  struct Front {
    std::unique_ptr<Subprocess> process;
    uint16_t port = 0;
  };

  Front StartProcess() {
    Front front;
    front.process =
        Subprocess::Start(
            {.argv = {RunfilePath("tools/store_server"), "--host=127.0.0.1", "--port=0",
                      "--engine=etcd",
                      absl::StrCat("--etcd=", absl::StrJoin(cluster().endpoints(), ","), "/job")},
             .environment = {},
             .stdin_text = ""})
            .value();
    const std::string line = front.process->ReadLine(absl::Now() + absl::Minutes(1)).value();
    const std::vector<std::string> parts = absl::StrSplit(line, ':');
    int port = 0;
    CHECK(absl::SimpleAtoi(parts.back(), &port)) << line;
    front.port = static_cast<uint16_t>(port);
    return front;
  }

  // What one rank did, and what it was told of it.
  struct Rank {
    int added = 0;   // Answered.
    int unsure = 0;  // Not answered: made, or not.
    bool was_cut_off = false;
  };

  // Adds, by the one front, until that breaks; then by the other.
  Rank RunRank(int rank, uint16_t front, uint16_t other) {
    Rank result;
    std::unique_ptr<TcpStore> store = Join(front);
    store->Set(absl::StrCat("address/", rank), absl::StrCat("host", rank));
    store->Barrier("joined", kRanks);
    while (result.added + result.unsure < kAdds) {
      const auto failed = DistErrorOf([&] { store->Add("counter", 1); });
      if (!failed.has_value()) {
        ++result.added;
        ++adds_;
        continue;
      }
      EXPECT_EQ(failed->code(), ErrorCode::kConnectionLost) << failed->what();
      EXPECT_FALSE(result.was_cut_off) << "rank " << rank << ", again: " << failed->what();
      ++result.unsure;
      result.was_cut_off = true;
      store = Join(other);
    }
    store->Set(absl::StrCat("done/", rank), "");
    for (int peer = 0; peer < kRanks; ++peer) store->Wait({absl::StrCat("done/", peer)});
    return result;
  }

  std::atomic<int> adds_ = 0;
};

TEST_F(FrontKilledTest, TheOthersGoOnAndNoAddIsLostOrMadeTwice) {
  StartCluster();
  std::vector<Front> fronts;
  for (int i = 0; i < 2; ++i) fronts.push_back(StartProcess());
  std::vector<Rank> results(kRanks);
  std::vector<std::unique_ptr<net::Thread>> ranks;
  for (int rank = 0; rank < kRanks; ++rank) {
    ranks.push_back(env().StartThread("rank", [&, rank] {
      const auto failed = DistErrorOf(
          [&] { results[rank] = RunRank(rank, fronts[rank % 2].port, fronts[1 - rank % 2].port); });
      EXPECT_FALSE(failed.has_value()) << "rank " << rank << ": " << failed->what();
    }));
  }
  while (adds_ < kRanks * kAdds / 3) env().SleepUntil(env().Now() + absl::Milliseconds(1));
  ASSERT_TRUE(fronts[0].process->Signal(SIGKILL).ok());
  ranks.clear();
  int added = 0;
  int unsure = 0;
  for (int rank = 0; rank < kRanks; ++rank) {
    EXPECT_EQ(results[rank].was_cut_off, rank % 2 == 0) << rank;
    added += results[rank].added;
    unsure += results[rank].unsure;
  }
  EXPECT_EQ(unsure, kRanks / 2);
  const std::unique_ptr<EtcdStore> direct = Open();
  int64_t counter = 0;
  ASSERT_TRUE(absl::SimpleAtoi(direct->Get("counter"), &counter));
  EXPECT_GE(counter, added);
  EXPECT_LE(counter, added + unsure);
  for (int rank = 0; rank < kRanks; ++rank) {
    EXPECT_EQ(direct->Get(absl::StrCat("address/", rank)), absl::StrCat("host", rank));
  }
}

TEST_F(FrontKilledTest, AWaiterOfTheOtherFrontIsReleasedByOneThatIsKilledAfterwards) {
  StartCluster();
  Front killed = StartProcess();
  const Front stays = StartProcess();
  const std::unique_ptr<TcpStore> waits = Join(stays.port);
  const std::unique_ptr<net::Thread> waiter = env().StartThread("waiter", [&] {
    const auto failed = DistErrorOf([&] { EXPECT_EQ(waits->Get("k"), "v"); });
    EXPECT_FALSE(failed.has_value()) << failed->what();
  });
  {
    const std::unique_ptr<TcpStore> sets = Join(killed.port);
    sets->Set("k", "v");
    sets->Check({"k"});  // Answered: from here on it is in etcd.
  }
  ASSERT_TRUE(killed.process->Signal(SIGKILL).ok());
}

TEST_F(FrontKilledTest, AFrontThatIsToldToEndEndsAndWhatWasStoredStays) {
  StartCluster();
  Front front = StartProcess();
  EXPECT_EQ(Join(front.port)->Add("n", 1), 1);
  ASSERT_TRUE(front.process->Signal(SIGTERM).ok());
  EXPECT_EQ(front.process->WaitForExit(absl::Now() + absl::Minutes(1)).value(), 0);
  EXPECT_EQ(Open()->Get("n"), "1");
}

}  // namespace
}  // namespace rollcall
