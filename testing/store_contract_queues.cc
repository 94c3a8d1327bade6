// The contract, part three: queues.
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "testing/dist_error_matchers.h"
#include "testing/store_contract.h"

namespace rollcall {
namespace {

using testing::UnorderedElementsAre;

// A store without queues must say so, and each test of this part tests that of it instead.
#define RETURN_IF_NO_QUEUES()                                                 \
  if (!has_queues()) {                                                        \
    EXPECT_DIST_ERROR(store().QueuePush("q", "v"), ErrorCode::kUnsupported);  \
    EXPECT_DIST_ERROR(store().QueuePop("q", false), ErrorCode::kUnsupported); \
    EXPECT_DIST_ERROR(store().QueueLen("q"), ErrorCode::kUnsupported);        \
    return;                                                                   \
  }

TEST_P(StoreContract, QueueIsFirstInFirstOut) {
  RETURN_IF_NO_QUEUES();
  EXPECT_EQ(store().QueueLen("q"), 0);
  EXPECT_FALSE(store().Check({"q"}));
  store().QueuePush("q", "a");
  store().QueuePush("q", "b");
  EXPECT_EQ(store().QueueLen("q"), 2);
  EXPECT_TRUE(store().Check({"q"}));
  store().Wait({"q"});
  EXPECT_EQ(store().QueuePop("q"), "a");
  EXPECT_EQ(store().QueuePop("q"), "b");
  EXPECT_EQ(store().QueueLen("q"), 0);
  EXPECT_FALSE(store().Check({"q"}));
}

TEST_P(StoreContract, QueuesAreNoKeys) {
  RETURN_IF_NO_QUEUES();
  const int64_t before = store().NumKeys();
  store().QueuePush("q", "v");
  EXPECT_EQ(store().NumKeys(), before);
  EXPECT_FALSE(store().DeleteKey("q"));
  EXPECT_EQ(store().QueuePop("q"), "v");
}

TEST_P(StoreContract, PopOfAnEmptyQueueWithoutBlocking) {
  RETURN_IF_NO_QUEUES();
  try {
    store().QueuePop("q", false);
    ADD_FAILURE() << "popped from an empty queue";
  } catch (const DistQueueEmptyError& error) {
    EXPECT_EQ(error.code(), ErrorCode::kQueueEmpty);
    EXPECT_THAT(error.what(), testing::HasSubstr("empty"));
  }
}

TEST_P(StoreContract, PopTimesOut) {
  RETURN_IF_NO_QUEUES();
  EXPECT_DIST_ERROR(store().QueuePop("q", true, absl::Milliseconds(20)), ErrorCode::kWaitTimeout);
  store().SetTimeout(absl::Milliseconds(20));
  EXPECT_DIST_ERROR(store().QueuePop("q"), ErrorCode::kWaitTimeout);
  store().SetTimeout(absl::Seconds(30));
  store().QueuePush("q", "v");
  EXPECT_EQ(store().QueuePop("q"), "v");
}

TEST_P(StoreContract, TwoQueuesPlayPingPong) {
  RETURN_IF_NO_QUEUES();
  std::unique_ptr<Store> other = store().Clone();
  Start([&] {
    for (int i = 0; i < 20; ++i) other->QueuePush("pong", other->QueuePop("ping"));
  });
  for (int i = 0; i < 20; ++i) {
    store().QueuePush("ping", absl::StrCat(i));
    ASSERT_EQ(store().QueuePop("pong"), absl::StrCat(i));
  }
  JoinThreads();
}

TEST_P(StoreContract, EachOfTwoBlockedConsumersGetsItsOwn) {
  RETURN_IF_NO_QUEUES();
  std::vector<std::unique_ptr<Store>> consumers;
  for (int i = 0; i < 2; ++i) consumers.push_back(Join());
  std::vector<std::string> popped(2);
  for (size_t i = 0; i < 2; ++i) {
    Start([&, i] { popped[i] = consumers[i]->QueuePop("q", true, absl::Seconds(30)); });
  }
  store().QueuePush("q", "a");
  store().QueuePush("q", "b");
  JoinThreads();
  EXPECT_THAT(popped, UnorderedElementsAre("a", "b"));
  EXPECT_EQ(store().QueueLen("q"), 0);
}

TEST_P(StoreContract, AWaitForAQueueAndAKeyNeedsBoth) {
  RETURN_IF_NO_QUEUES();
  std::unique_ptr<Store> waiter = Join();
  store().QueuePush("q", "v");
  Start([&] { waiter->Wait({"q", "k"}, absl::Seconds(30)); });
  store().Set("k", "v");
  JoinThreads();
}

TEST_P(StoreContract, ManyProducersAndConsumersLoseNothing) {
  RETURN_IF_NO_QUEUES();
  constexpr int kPairs = 3;
  constexpr int kItems = 20;
  std::vector<std::unique_ptr<Store>> stores;
  for (int i = 0; i < 2 * kPairs; ++i) stores.push_back(Join());
  for (size_t i = 0; i < kPairs; ++i) {
    Start([&, i] {
      for (int item = 0; item < kItems; ++item) stores[i]->QueuePush("q", "1");
    });
    Start([&, i] {
      for (int item = 0; item < kItems; ++item) {
        stores[kPairs + i]->Add("sum", stores[kPairs + i]->QueuePop("q").size());
      }
    });
  }
  JoinThreads();
  EXPECT_EQ(store().Get("sum"), absl::StrCat(kPairs * kItems));
  EXPECT_EQ(store().QueueLen("q"), 0);
}

}  // namespace
}  // namespace rollcall
