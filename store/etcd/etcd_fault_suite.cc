#include "store/etcd/etcd_fault_suite.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "fault_injection/history.h"
#include "fault_injection/linearize.h"
#include "glog/logging.h"
#include "gmock/gmock.h"
#include "net/real_env.h"
#include "store/dist_error.h"
#include "testing/dist_error_matchers.h"

namespace rollcall {

// A program that links the suite and instantiates another one is no mistake.
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(EtcdFaultSuite);

namespace {

using testing::AnyOf;
using testing::HasSubstr;

std::string AddressKey(int rank) { return absl::StrCat("address/", rank); }

std::vector<std::string> AllAddressKeys(int ranks) {
  std::vector<std::string> keys;
  for (int rank = 0; rank < ranks; ++rank) keys.push_back(AddressKey(rank));
  return keys;
}

}  // namespace

EtcdFaultSuite::EtcdFaultSuite() : env_(net::RealEnv()), recorder_(env_) {}

EtcdFaultSuite::~EtcdFaultSuite() = default;

void EtcdFaultSuite::StartCluster(EtcdClusterOptions options) {
  options.members = 3;
  // Elections within half a second, not one to two: the suite has many.
  options.arguments.insert(options.arguments.end(),
                           {"--heartbeat-interval=50", "--election-timeout=500"});
  absl::StatusOr<std::unique_ptr<EtcdCluster>> started = EtcdCluster::Start(std::move(options));
  CHECK(started.ok()) << started.status();
  cluster_ = *std::move(started);
  subject_ = GetParam().new_subject(*cluster_);
  observer_ = Join(kRanks);
}

std::unique_ptr<Store> EtcdFaultSuite::Join(int rank) { return subject_->Join(rank); }

size_t EtcdFaultSuite::Leader() {
  const absl::StatusOr<size_t> leader = cluster_->Leader();
  CHECK(leader.ok()) << leader.status();
  return *leader;
}

void EtcdFaultSuite::RestartMember(size_t member) {
  const absl::Status restarted = cluster_->Restart(member);
  ASSERT_TRUE(restarted.ok()) << restarted;
}

void EtcdFaultSuite::StartRanks() {
  for (int rank = 0; rank < kRanks; ++rank) {
    ranks_.push_back(env_.StartThread("rank", [this, rank] {
      const auto failed = DistErrorOf([&] {
        fault::RecordingStore store(std::shared_ptr<Store>(Join(rank)), &recorder_);
        RunRank(rank, store);
      });
      EXPECT_FALSE(failed.has_value()) << "rank " << rank << ": " << failed->what();
    }));
  }
}

void EtcdFaultSuite::RunRank(int rank, Store& store) {
  store.Add("joined", 1);
  store.Set(AddressKey(rank), absl::StrCat("host", rank));
  store.Wait(AllAddressKeys(kRanks));
  const std::string mine = absl::StrCat("own/", rank);
  for (int round = 0; round < kRounds; ++round) {
    store.Add("counter", 1);
    store.Append("log", absl::StrCat(rank));
    store.Set(mine, absl::StrCat(round));
    EXPECT_EQ(store.Get(mine), absl::StrCat(round));
    store.CompareSet("leader", round == 0 ? "" : absl::StrCat("rank", (rank + 1) % kRanks),
                     absl::StrCat("rank", rank));
    store.QueuePush("work", absl::StrCat(rank, ".", round));
    EXPECT_NE(store.QueuePop("work"), "");
    // The others are told of this rank's round by a key that was not there before.
    store.Set(absl::StrCat("round/", rank, "/", round), "");
    store.Wait({absl::StrCat("round/", (rank + 1) % kRanks, "/", round)});
  }
}

void EtcdFaultSuite::AwaitAdds(int adds) {
  for (int counter = 0; counter < adds;) {
    ASSERT_TRUE(absl::SimpleAtoi(observer_->Get("counter"), &counter));
  }
}

void EtcdFaultSuite::CutOffForAWhile(size_t member) {
  cluster().Isolate(member);
  AwaitAdds(kAdds / 2);
  cluster().Rejoin(member);
  ExpectNothingLost();
  const absl::Status ready = cluster().AwaitReady(member);
  EXPECT_TRUE(ready.ok()) << ready;
}

void EtcdFaultSuite::ExpectNothingLost() {
  ranks_.clear();
  EXPECT_EQ(observer_->Get("joined"), absl::StrCat(kRanks));
  EXPECT_EQ(observer_->Get("counter"), absl::StrCat(kAdds));
  const std::string log = observer_->Get("log");
  for (int rank = 0; rank < kRanks; ++rank) {
    EXPECT_EQ(observer_->Get(AddressKey(rank)), absl::StrCat("host", rank));
    EXPECT_EQ(observer_->Get(absl::StrCat("own/", rank)), absl::StrCat(kRounds - 1));
    EXPECT_EQ(std::count(log.begin(), log.end(), static_cast<char>('0' + rank)), kRounds);
  }
  EXPECT_EQ(observer_->QueueLen("work"), 0);
  const fault::History history = recorder_.history();
  EXPECT_GE(history.size(), static_cast<size_t>(kAdds) * 9);
  EXPECT_TRUE(std::all_of(history.begin(), history.end(), [](const fault::Operation& operation) {
    return operation.outcome != fault::Outcome::kFailed;
  }));
  const fault::LinearizeResult result = fault::CheckLinearizable(history);
  EXPECT_EQ(result.verdict, fault::Verdict::kLinearizable) << result.explanation;
}

// --- One of three ---

TEST_P(EtcdFaultSuite, TheLeaderIsKilledTwice) {
  StartCluster();
  StartRanks();
  for (const int adds : {kAdds / 6, kAdds / 2}) {
    AwaitAdds(adds);
    const size_t killed = Leader();
    cluster().Kill(killed);
    AwaitAdds(adds + kAdds / 6);
    RestartMember(killed);
  }
  ExpectNothingLost();
}

TEST_P(EtcdFaultSuite, AFollowerIsCutOffFromTheOthers) {
  StartCluster({.has_cuttable_peers = true});
  StartRanks();
  AwaitAdds(kAdds / 6);
  CutOffForAWhile(Follower());
}

TEST_P(EtcdFaultSuite, TheLeaderIsCutOffFromTheOthers) {
  StartCluster({.has_cuttable_peers = true});
  StartRanks();
  AwaitAdds(kAdds / 6);
  CutOffForAWhile(Leader());
}

// A machine that hangs: it takes connections and requests, and says nothing.
TEST_P(EtcdFaultSuite, TheLeaderHangs) {
  StartCluster();
  StartRanks();
  AwaitAdds(kAdds / 6);
  const size_t hanging = Leader();
  cluster().Pause(hanging);
  AwaitAdds(kAdds / 2);
  cluster().Resume(hanging);
  ExpectNothingLost();
}

TEST_P(EtcdFaultSuite, TheDiskOfOneIsFull) {
  // Two files of 64 MiB are made at the start, for the log; what is left is for the data.
  constexpr size_t kMember = 2;
  StartCluster({.disk_mebibytes = {{kMember, 140}}});
  StartRanks();
  AwaitAdds(kAdds / 6);
  constexpr int kValuesMax = 60;
  int values = 0;
  for (; values < kValuesMax && !cluster().Ends(kMember, absl::Now()); ++values) {
    observer().Set(absl::StrCat("bulk/", values), std::string(1 << 20, 'x'));
  }
  EXPECT_TRUE(cluster().Ends(kMember, absl::Now() + absl::Seconds(10)));
  EXPECT_THAT(cluster().Log(kMember), HasSubstr("no space left on device"));
  ExpectNothingLost();
  for (int i = 0; i < values; ++i) {
    EXPECT_EQ(observer().Get(absl::StrCat("bulk/", i)).size(), size_t{1} << 20) << i;
  }
}

// Stands for a disk that takes a third of a second now and then: the whole member is stopped for as
// long, its network too, which a slow disk alone would not do.
TEST_P(EtcdFaultSuite, TheLeadersDiskIsSlow) {
  StartCluster();
  StartRanks();
  AwaitAdds(kAdds / 6);
  for (int adds = kAdds / 6 + 1; adds < kAdds / 2; adds += kAdds / 30) {
    const size_t slow = Leader();
    cluster().Pause(slow);
    env().SleepUntil(env().Now() + absl::Milliseconds(300));
    cluster().Resume(slow);
    AwaitAdds(adds);
  }
  ExpectNothingLost();
}

// --- More than half ---

TEST_P(EtcdFaultSuite, WithoutAMajorityCallsFailAndSayWhyAndNothingIsLost) {
  StartCluster();
  std::unique_ptr<Store> store = Join(0);
  for (int i = 0; i < 20; ++i) store->Set(absl::StrCat(i), "acknowledged");
  EXPECT_TRUE(store->Check({"19"}));
  std::unique_ptr<Store> waiting = Join(1);
  std::unique_ptr<net::Thread> waiter = env().StartThread("waiter", [&] {
    const auto failed = DistErrorOf([&] { EXPECT_EQ(waiting->Get("late"), "v"); });
    EXPECT_FALSE(failed.has_value()) << failed->what();
  });
  subject().AwaitWaiting(1);
  const size_t left = Leader();
  const size_t first = (left + 1) % 3;
  const size_t second = (left + 2) % 3;
  cluster().Kill(first);
  cluster().Kill(second);
  store->SetTimeout(subject().time_to_fail());
  const auto error = DistErrorOf([&] { store->Add("n", 1); });
  ASSERT_TRUE(error.has_value());
  const std::string why = subject().WhyItFailed(*error);
  EXPECT_THAT(why, HasSubstr("ETCD_NO_LEADER"));
  EXPECT_THAT(why, HasSubstr(cluster().endpoint(left)));
  EXPECT_THAT(why, HasSubstr(absl::StrCat(cluster().endpoint(first), ": ")));
  EXPECT_THAT(why, AnyOf(HasSubstr("no leader"), HasSubstr("timed out")));
  store = subject().GoOn(std::move(store), 0);
  store->SetTimeout(absl::Minutes(1));
  // Two that start together: alone, neither would ever be ready.
  std::unique_ptr<net::Thread> other = env().StartThread("restart", [&] { RestartMember(first); });
  RestartMember(second);
  other.reset();
  store->Set("late", "v");
  waiter.reset();
  for (int i = 0; i < 20; ++i) EXPECT_EQ(store->Get(absl::StrCat(i)), "acknowledged");
}

}  // namespace rollcall
