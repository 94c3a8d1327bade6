// What an EtcdStore does beyond the contract: leases, limits, compaction, and writes whose answer
// is lost.
#include "store/etcd/etcd_store.h"

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "absl/time/time.h"
#include "fault_injection/proxy/fault_proxy.h"
#include "fault_injection/proxy/proxy_types.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "store/etcd/etcd_fixture.h"
#include "store/etcd/etcd_session.h"
#include "store/etcd/etcd_watch.h"
#include "store/factory.h"
#include "testing/dist_error_matchers.h"

namespace rollcall {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

constexpr absl::Duration kLong = absl::Seconds(30);

class EtcdStoreTest : public EtcdFixture {
 protected:
  std::string LeaseInHex(const std::string& prefix) {
    const std::string decimal = Ctl({"get", prefix + "/lease", "--print-value-only"});
    int64_t id = 0;
    EXPECT_TRUE(absl::SimpleAtoi(decimal, &id)) << decimal;
    return absl::StrCat(absl::Hex(id));
  }
  // Until etcd holds nothing under the prefix, or the test's time is up.
  void AwaitNothingUnder(const std::string& prefix) {
    while (Ctl({"get", prefix, "--prefix", "--keys-only"}) != "") continue;
  }
};

TEST_F(EtcdStoreTest, AJobsKeysGoAfterItsLastRank) {
  StartCluster();
  EtcdOptions options = Options();
  options.ttl = kEtcdTtlMin;
  std::unique_ptr<EtcdStore> first = Open(options);
  std::unique_ptr<EtcdStore> second = Open(options);
  first->Set("k", "v");
  first->QueuePush("q", "v");
  first.reset();
  // One rank is enough to keep them: the lease would have ended meanwhile.
  EXPECT_DIST_ERROR(second->Wait({"never"}, 2 * options.ttl), ErrorCode::kWaitTimeout);
  EXPECT_EQ(second->Get("k"), "v");
  second.reset();
  AwaitNothingUnder("/job");
}

TEST_F(EtcdStoreTest, ALostLeaseIsSaidToWhoWaitsAndToWhoCalls) {
  StartCluster();
  std::unique_ptr<EtcdStore> store = Open();
  store->Set("k", "v");
  std::unique_ptr<net::Thread> waiter = env().StartThread("waiter", [&] {
    const auto error = DistErrorOf([&] { store->Wait({"never"}, kLong); });
    ASSERT_TRUE(error.has_value());
    EXPECT_EQ(error->code(), ErrorCode::kEtcdLeaseLost) << error->what();
  });
  Ctl({"lease", "revoke", LeaseInHex("/job")});
  waiter.reset();
  const auto error = DistErrorOf([&] { store->Get("k", absl::ZeroDuration()); });
  ASSERT_TRUE(error.has_value());
  EXPECT_EQ(error->code(), ErrorCode::kEtcdLeaseLost);
  EXPECT_THAT(error->what(), AllOf(HasSubstr("the job's lease is lost"), HasSubstr("larger ttl")));
}

TEST_F(EtcdStoreTest, ALaterJobIsNotTouchedByAnEarlierOne) {
  StartCluster();
  std::unique_ptr<EtcdStore> earlier = Open();
  earlier->Set("k", "earlier");
  Ctl({"lease", "revoke", LeaseInHex("/job")});
  std::unique_ptr<EtcdStore> later = Open();
  EXPECT_FALSE(later->Check({"k"}));
  later->Set("k", "later");
  EXPECT_DIST_ERROR(earlier->Set("k", "earlier"), ErrorCode::kEtcdLeaseLost);
  EXPECT_DIST_ERROR(earlier->Get("k"), ErrorCode::kEtcdLeaseLost);
  EXPECT_EQ(later->Get("k"), "later");
}

TEST_F(EtcdStoreTest, KeysAreInEtcdAsTheyAreDocumented) {
  StartCluster();
  std::unique_ptr<EtcdStore> store = Open();
  store->Set("address/0", "node0");
  store->Add("joined", 2);
  EXPECT_EQ(Ctl({"get", "/job/k/address/0", "--print-value-only"}), "node0\n");
  EXPECT_EQ(Ctl({"get", "/job/k/joined", "--print-value-only"}), "2\n");
  store->QueuePush("q", "element");
  EXPECT_EQ(Ctl({"get", "/job/q/00000001/q/", "--prefix", "--print-value-only"}), "element\n");
}

TEST_F(EtcdStoreTest, JobsOfDifferentPrefixesDoNotMeet) {
  StartCluster();
  std::unique_ptr<EtcdStore> one = Open(Options("/one"));
  std::unique_ptr<EtcdStore> other = Open(Options("/other"));
  one->Set("k", "1");
  EXPECT_FALSE(other->Check({"k"}));
  EXPECT_EQ(other->NumKeys(), 0);
}

TEST_F(EtcdStoreTest, HistoryThatIsForgottenIsSaid) {
  StartCluster();
  std::unique_ptr<EtcdStore> store = Open();
  for (int i = 0; i < 10; ++i) store->Set("k", absl::StrCat(i));
  auto session = etcd::EtcdSession::Open(env(), Options()).value();
  const etcd::EtcdCall call = {.operation = "wait", .deadline = env().Now() + kLong};
  const int64_t now = session->Read(call, {})->header().revision();
  Ctl({"compact", absl::StrCat(now)});
  etcd::EtcdWatch watch(session.get(), call);
  watch.AddKey(session->names().Key("k"), 2);
  std::vector<etcd::EtcdWatch::Change> changes;
  EXPECT_EQ(watch.Next(changes).value(), etcd::EtcdWatch::Outcome::kForgotten);
}

TEST_F(EtcdStoreTest, AWatchWhoseTimeIsUpBeforeItBeginsSaysThat) {
  StartCluster();
  auto session = etcd::EtcdSession::Open(env(), Options()).value();
  etcd::EtcdWatch watch(session.get(), {.operation = "wait", .deadline = env().Now()});
  watch.AddKey(session->names().Key("k"), 1);
  std::vector<etcd::EtcdWatch::Change> changes;
  EXPECT_EQ(watch.Next(changes).value(), etcd::EtcdWatch::Outcome::kTimeUp);
}

TEST_F(EtcdStoreTest, AFullQuotaIsSaidAndReadsGoOn) {
  StartCluster({.arguments = {"--quota-backend-bytes=4000000"}});
  std::unique_ptr<EtcdStore> store = Open();
  store->Set("before", "v");
  std::optional<DistError> error;
  for (int i = 0; i < 100 && !error.has_value(); ++i) {
    error = DistErrorOf([&] { store->Set(absl::StrCat(i), std::string(500'000, 'x')); });
  }
  ASSERT_TRUE(error.has_value());
  EXPECT_EQ(error->code(), ErrorCode::kEtcdNoSpace) << error->what();
  EXPECT_THAT(error->what(), HasSubstr("--quota-backend-bytes"));
  EXPECT_EQ(store->Get("before"), "v");
}

TEST_F(EtcdStoreTest, ARequestThatIsTooLargeIsSaidAndTheStoreIsUsable) {
  StartCluster({.arguments = {"--max-request-bytes=100000"}});
  std::unique_ptr<EtcdStore> store = Open();
  for (const size_t size : {200'000, 2'000'000}) {
    EXPECT_DIST_ERROR(store->Set("k", std::string(size, 'x')), ErrorCode::kEtcdRequestTooLarge);
  }
  store->Set("k", "small");
  EXPECT_EQ(store->Get("k"), "small");
}

TEST_F(EtcdStoreTest, AMemberThatIsNotThereIsPassedOver) {
  StartCluster();
  for (int i = 0; i < 4; ++i) {
    EtcdOptions options = Options();
    options.endpoints.insert(options.endpoints.begin(), "127.0.0.1:1");
    std::unique_ptr<EtcdStore> store = Open(options);
    EXPECT_EQ(store->Add("joined", 1), i + 1);
  }
}

TEST_F(EtcdStoreTest, TheErrorNamesEachMemberThatWasTried) {
  const auto error = DistErrorOf([&] {
    CreateStore(env(), "etcd://127.0.0.1:1,127.0.0.1:2/job", {.timeout = absl::Seconds(1)});
  });
  ASSERT_TRUE(error.has_value());
  EXPECT_EQ(error->code(), ErrorCode::kEtcdUnreachable);
  EXPECT_THAT(error->what(), AllOf(HasSubstr("127.0.0.1:1: "), HasSubstr("127.0.0.1:2: "),
                                   HasSubstr("Connection refused"), HasSubstr("in connect")));
  EXPECT_EQ(error->details().peer, "etcd 127.0.0.1:1,127.0.0.1:2/job");
  EXPECT_GT(error->details().attempts, 2);
}

TEST_F(EtcdStoreTest, AMemberThatComesBackIsFoundAgain) {
  StartCluster();
  std::unique_ptr<EtcdStore> store = Open();
  store->Set("k", "before");
  std::unique_ptr<net::Thread> waiter = env().StartThread("waiter", [&] {
    const auto failed = DistErrorOf([&] { EXPECT_EQ(store->Get("after", absl::Minutes(1)), "v"); });
    EXPECT_FALSE(failed.has_value()) << failed->what();
  });
  cluster().Kill(0);
  const auto error = DistErrorOf([&] { store->Get("k", absl::Milliseconds(300)); });
  ASSERT_TRUE(error.has_value());
  EXPECT_EQ(error->code(), ErrorCode::kEtcdUnreachable) << error->what();
  RestartMember();
  EXPECT_EQ(store->Get("k"), "before");
  store->Set("after", "v");
  waiter.reset();
}

// --- Writes whose answer is lost ---

class EtcdLostAnswers : public EtcdStoreTest {
 protected:
  void SetUp() override {
    StartCluster();
    direct_ = Open();
    proxy_ = StartProxy();
    store_ = Open(OptionsBehind(*proxy_));
    // The slot is there, so that what is tested is an ordinary write.
    store_->Set("warm", "");
  }
  void TearDown() override { store_.reset(); }

  // Makes `call` while nothing comes back from etcd, until `is_made` says that it was made there;
  // then what was to come back is lost, and the call goes on.
  template <typename Call, typename IsMade>
  void LosingTheAnswer(Call call, IsMade is_made) {
    proxy_->Cut("etcd", fault::Direction::kToClient);
    std::unique_ptr<net::Thread> caller = env().StartThread("caller", call);
    is_made();
    proxy_->Reset("etcd");
    proxy_->HealAll("etcd");
    caller.reset();
  }

  std::unique_ptr<fault::FaultProxy> proxy_;
  std::unique_ptr<EtcdStore> direct_;
  std::unique_ptr<EtcdStore> store_;
};

TEST_F(EtcdLostAnswers, APushIsMadeOnce) {
  LosingTheAnswer([&] { store_->QueuePush("q", "v"); }, [&] { direct_->Wait({"q"}); });
  EXPECT_EQ(direct_->QueueLen("q"), 1);
}

TEST_F(EtcdLostAnswers, APushIsMadeOnceEvenIfItWasPoppedMeanwhile) {
  LosingTheAnswer([&] { store_->QueuePush("q", "v"); },
                  [&] { EXPECT_EQ(direct_->QueuePop("q"), "v"); });
  EXPECT_EQ(direct_->QueueLen("q"), 0);
}

TEST_F(EtcdLostAnswers, ASetDoesNotUndoALaterOne) {
  LosingTheAnswer([&] { store_->Set("k", "early"); },
                  [&] {
                    EXPECT_EQ(direct_->Get("k"), "early");
                    direct_->Set("k", "late");
                  });
  EXPECT_EQ(direct_->Get("k"), "late");
}

TEST_F(EtcdLostAnswers, ADeletionKnowsThatItWasIt) {
  direct_->Set("k", "v");
  LosingTheAnswer([&] { EXPECT_TRUE(store_->DeleteKey("k")); },
                  [&] {
                    while (direct_->Check({"k"})) continue;
                  });
}

TEST_F(EtcdLostAnswers, ACompareSetKnowsThatItWasIt) {
  LosingTheAnswer([&] { EXPECT_EQ(store_->CompareSet("k", "", "mine"), "mine"); },
                  [&] {
                    EXPECT_EQ(direct_->Get("k"), "mine");
                    direct_->Set("k", "other's");
                  });
  EXPECT_EQ(direct_->Get("k"), "other's");
}

// Connections break while the calls are at any point whatever.
TEST_F(EtcdLostAnswers, NothingIsCountedTwiceOrLostWhileConnectionsBreak) {
  constexpr int kCalls = 200;
  std::unique_ptr<net::Thread> caller = env().StartThread("caller", [&] {
    for (int i = 0; i < kCalls; ++i) {
      EXPECT_EQ(store_->Add("n", 1), i + 1);
      store_->Append("log", "x");
      store_->QueuePush("q", absl::StrCat(i));
      EXPECT_EQ(store_->QueuePop("q"), absl::StrCat(i));
    }
    direct_->Set("done", "");
  });
  // One break for each call or two: as fast as another store is told of the last count.
  int64_t breaks = 0;
  for (std::string last = "0"; !direct_->Check({"done"});) {
    const std::string now = direct_->Get("n", kLong);
    if (now == last) continue;
    last = now;
    proxy_->Reset("etcd");
    ++breaks;
  }
  caller.reset();
  EXPECT_GT(breaks, 10);
  EXPECT_EQ(direct_->Get("n"), absl::StrCat(kCalls));
  EXPECT_EQ(direct_->Get("log").size(), kCalls);
  EXPECT_EQ(direct_->QueueLen("q"), 0);
}

TEST_F(EtcdLostAnswers, AnErrorSaysThatTheChangeMayHaveBeenMade) {
  proxy_->Cut("etcd", fault::Direction::kToClient);
  store_->SetTimeout(absl::Milliseconds(300));
  const auto error = DistErrorOf([&] { store_->Set("k", "v"); });
  proxy_->HealAll("etcd");
  ASSERT_TRUE(error.has_value());
  EXPECT_EQ(error->code(), ErrorCode::kReplyTimeout) << error->what();
  EXPECT_THAT(error->what(), HasSubstr("not known whether the change was made"));
  store_->SetTimeout(kLong);
  EXPECT_EQ(store_->Add("n", 1), 1) << "and the store is usable";
}

TEST_F(EtcdLostAnswers, AWaitGoesOnAfterALostConnection) {
  std::unique_ptr<net::Thread> waiter =
      env().StartThread("waiter", [&] { EXPECT_EQ(store_->Get("k", kLong), "v"); });
  for (int i = 0; i < 5; ++i) {
    direct_->Set("other", absl::StrCat(i));
    proxy_->Reset("etcd");
  }
  direct_->Set("k", "v");
  waiter.reset();
}

}  // namespace
}  // namespace rollcall
