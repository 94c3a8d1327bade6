// A batch is what the single calls would have been, in their order, for fewer round trips.
#include "store/batch.h"

#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "net/real_env.h"
#include "store/client/fake_server.h"
#include "store/dist_error.h"
#include "store/raw_requests.h"
#include "store/tcp_store.h"
#include "store/tcp_store_fixture.h"
#include "testing/dist_error_matchers.h"

namespace rollcall {
namespace {

using client::FakePeer;
using client::FakeServer;
using testing::AllOf;
using testing::HasSubstr;
using Text = Batch::Result<std::optional<std::string>>;

class BatchTest : public TcpStoreTest {};

INSTANTIATE_TEST_SUITE_P(Backends, BatchTest, testing::Bool(), BackendName);

TEST_P(BatchTest, EachOperationHasItsOwnOutcome) {
  const auto host = NewHost();
  const auto store = NewClient(*host);
  Batch batch(*store);
  batch.Set("k", "v");
  batch.Append("k", "w");
  const auto value = batch.Get("k");
  const auto missing = batch.Get("missing");
  batch.MultiSet(std::vector<std::string>{"a", "empty"}, std::vector<std::string>{"1", ""});
  const auto empty = batch.Get("empty");
  const auto sum = batch.Add("a", 41);
  const auto swapped = batch.CompareSet("c", "", "x");
  const auto kept = batch.CompareSet("c", "y", "z");
  const auto there = batch.Check(std::vector<std::string>{"a", "c"});
  const auto not_there = batch.Check(std::vector<std::string>{"a", "d"});
  const auto keys = batch.NumKeys();
  const auto deleted = batch.DeleteKey("c");
  const auto deleted_again = batch.DeleteKey("c");
  batch.QueuePush("q", "job");
  const auto queued = batch.QueueLen("q");
  const auto job = batch.QueuePop("q");
  const auto none = batch.QueuePop("q");
  EXPECT_EQ(batch.size(), 18);
  batch.Run();
  EXPECT_EQ(batch.size(), 0);
  EXPECT_EQ(value.value(), "vw");
  EXPECT_EQ(missing.value(), std::nullopt);
  EXPECT_EQ(empty.value(), "");
  EXPECT_EQ(sum.value(), 42);
  EXPECT_EQ(swapped.value(), "x");
  EXPECT_EQ(kept.value(), "x");
  EXPECT_TRUE(there.value());
  EXPECT_FALSE(not_there.value());
  EXPECT_EQ(keys.value(), 4);
  EXPECT_TRUE(deleted.value());
  EXPECT_FALSE(deleted_again.value());
  EXPECT_EQ(queued.value(), 1);
  EXPECT_EQ(job.value(), "job");
  EXPECT_EQ(none.value(), std::nullopt);
}

TEST_P(BatchTest, ALargeBatchDoesNotStandInItsOwnWay) {
  const auto host = NewHost();
  const auto store = NewClient(*host);
  const std::string large(4 << 20, 'x');
  Batch batch(*store);
  std::vector<Text> values;
  for (int i = 0; i < 8; ++i) {
    batch.Set(absl::StrCat("large", i), large);
    values.push_back(batch.Get(absl::StrCat("large", i)));
  }
  std::vector<Batch::Result<int64_t>> sums;
  for (int i = 1; i <= 20'000; ++i) sums.push_back(batch.Add("n", 1));
  batch.Run();
  for (const Text& value : values) EXPECT_TRUE(value.value() == large);
  for (int i = 1; i <= 20'000; ++i) EXPECT_EQ(sums[static_cast<size_t>(i - 1)].value(), i);
}

TEST_P(BatchTest, WritesAreAppliedWhenItReturns) {
  const auto host = NewHost();
  const auto writer = NewClient(*host);
  const auto reader = NewClient(*host);
  Batch batch(*writer);
  for (int i = 0; i < 100; ++i) {
    batch.Set("k", absl::StrCat(i));
    batch.Run();
    EXPECT_EQ(reader->Get("k"), absl::StrCat(i));
  }
}

TEST_P(BatchTest, RunsBesideThreadsThatWaitOnTheSameStore) {
  const auto host = NewHost();
  const auto store = NewClient(*host);
  const auto waiter = Start([&] { EXPECT_EQ(store->Get("key"), "value"); });
  UntilWaiting(*host, 1);
  Batch batch(*store);
  const auto before = batch.Get("key");
  batch.Set("key", "value");
  batch.Run();
  EXPECT_EQ(before.value(), std::nullopt);
}

TEST_P(BatchTest, AnAddOnWhatIsNoNumberEndsItThere) {
  const auto host = NewHost();
  const auto store = NewClient(*host);
  store->Set("text", "no number");
  Batch batch(*store);
  const auto before = batch.Add("n", 1);
  const auto bad = batch.Add("text", 1);
  const auto after = batch.Add("n", 1);
  EXPECT_DIST_ERROR(batch.Run(), ErrorCode::kNotANumber);
  EXPECT_EQ(before.value(), 1);
  EXPECT_FALSE(bad.is_known());
  EXPECT_DIST_ERROR(bad.value(), ErrorCode::kNotANumber);
  EXPECT_DIST_ERROR(after.value(), ErrorCode::kNotANumber);
  // It is empty now, and the store connects anew.
  const auto again = batch.Add("n", 1);
  batch.Run();
  EXPECT_EQ(again.value(), 2);
}

TEST_P(BatchTest, WhatCanBeKnownAtOnceIsRaisedAtOnce) {
  const auto host = NewHost();
  const auto store = NewClient(*host);
  Batch batch(*store);
  EXPECT_DIST_ERROR(batch.Set(std::string(9000, 'k'), "v"), ErrorCode::kKeyTooLong);
  EXPECT_DIST_ERROR(batch.Set("k", std::string(9 << 20, 'v')), ErrorCode::kValueTooLarge);
  EXPECT_DIST_ERROR(batch.MultiSet(std::vector<std::string>{"k"}, {}), ErrorCode::kSizeMismatch);
  EXPECT_EQ(batch.size(), 0);
  batch.Run();
  const auto value = batch.Get("k");
  EXPECT_THROW(value.value(), std::invalid_argument);
  EXPECT_THROW(batch.Run(-absl::Seconds(1)), std::invalid_argument);
}

TEST_P(BatchTest, AClosedStoreSaysSo) {
  const auto host = NewHost();
  const auto store = NewClient(*host);
  store->Close();
  Batch batch(*store);
  const auto sum = batch.Add("n", 1);
  EXPECT_DIST_ERROR(batch.Run(), ErrorCode::kClosed);
  EXPECT_DIST_ERROR(sum.value(), ErrorCode::kClosed);
}

// --- Byte by byte ---

using raw::Bytes;
using raw::kAddOneToN;
using raw::kGetK;
using raw::kSetAToOne;
using raw::kSeven;

const std::string kCheckK = Bytes("05010000000000000002000000000000002f6b");
const std::string kNumKeys = Bytes("07");
const std::string kOne = Bytes("0100000000000000");
const std::string kIsThere = Bytes("00");
const std::string kIsMissing = Bytes("01");
const std::string kValue = Bytes("010000000000000076");

class BatchWire : public testing::Test {
 protected:
  std::unique_ptr<TcpStore> Connect(const FakeServer& server) { return raw::Connect(env_, server); }
  net::Env& env_ = net::RealEnv();
};

// Torch's poll server hangs up on a get of a missing key: no get goes out before its check is back.
TEST_F(BatchWire, AServerThatDoesNotSayThatItAnswersIsAskedForKeysThatAreThere) {
  FakeServer server(env_, [](FakePeer& peer) {
    peer.Greet();
    peer.Expect(kSetAToOne + kCheckK);
    peer.Write(kIsThere);
    peer.Expect(kGetK + kAddOneToN + kCheckK);
    peer.Write(kValue + kSeven + kIsMissing);
    peer.Expect(kSetAToOne + kNumKeys);
    peer.Write(kOne);
    peer.ReadToEnd();
  });
  const auto store = Connect(server);
  Batch batch(*store);
  batch.Set("a", "1");
  const auto first = batch.Get("k");
  const auto sum = batch.Add("n", 1);
  const auto second = batch.Get("k");
  batch.Set("a", "1");
  batch.Run();
  EXPECT_EQ(first.value(), "v");
  EXPECT_EQ(sum.value(), 7);
  EXPECT_EQ(second.value(), std::nullopt);
}

TEST_F(BatchWire, AConnectionThatIsLostInTheMiddleLeavesWhatWasAnswered) {
  FakeServer server(env_, [](FakePeer& peer) {
    peer.Greet();
    peer.Expect(kAddOneToN + kSetAToOne + kCheckK);
    peer.Write(kSeven);
  });
  const auto store = Connect(server);
  Batch batch(*store);
  const auto sum = batch.Add("n", 1);
  batch.Set("a", "1");
  const auto there = batch.Check(std::vector<std::string>{"k"});
  const auto error = DistErrorOf([&] { batch.Run(); });
  ASSERT_TRUE(error.has_value());
  EXPECT_EQ(error->code(), ErrorCode::kConnectionLost);
  EXPECT_THAT(error->what(), HasSubstr("outcome of the batch is unknown"));
  EXPECT_EQ(sum.value(), 7);
  EXPECT_DIST_ERROR(there.value(), ErrorCode::kConnectionLost);
}

TEST_F(BatchWire, AServerThatDoesNotAnswerIsGivenUpInTime) {
  FakeServer server(env_, [](FakePeer& peer) {
    peer.Greet();
    EXPECT_EQ(peer.ReadToEnd(), kAddOneToN);
  });
  const auto store = Connect(server);
  Batch batch(*store);
  batch.Add("n", 1);
  const auto error = DistErrorOf([&] { batch.Run(absl::Milliseconds(50)); });
  ASSERT_TRUE(error.has_value());
  EXPECT_EQ(error->code(), ErrorCode::kReplyTimeout);
  EXPECT_THAT(error->what(), AllOf(HasSubstr("did not answer the batch within 50ms"),
                                   HasSubstr("outcome of the batch is unknown")));
}

}  // namespace
}  // namespace rollcall
