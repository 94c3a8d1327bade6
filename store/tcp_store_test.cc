// What is TcpStore's own, on a real server with both event loops; testing/store_contract.h has what
// every store must do.
#include "store/tcp_store.h"

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "store/dist_error.h"
#include "store/server/server_snapshot.h"
#include "store/tcp_store_fixture.h"
#include "testing/dist_error_matchers.h"

namespace rollcall {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsSupersetOf;
using testing::StartsWith;

constexpr absl::Duration kShort = absl::Milliseconds(50);

INSTANTIATE_TEST_SUITE_P(Backend, TcpStoreTest, testing::Bool(), BackendName);

// --- Connections ---

TEST_P(TcpStoreTest, ARankWithOneThreadHasOneConnectionWaitsIncluded) {
  const auto host = NewHost();
  const auto rank = NewClient(*host);
  rank->Set("k", "v");
  EXPECT_EQ(rank->Get("k"), "v");
  EXPECT_DIST_ERROR(rank->Wait({"k", "missing"}, kShort), ErrorCode::kWaitTimeout);
  rank->QueuePush("q", "1");
  EXPECT_EQ(rank->QueuePop("q"), "1");
  EXPECT_EQ(rank->Get("k"), "v");
  EXPECT_EQ(host->server()->stats().connections_accepted, 2u);
}

TEST_P(TcpStoreTest, AWaitGivesWayToAnotherThreadAndGoesOn) {
  const auto host = NewHost();
  const auto rank = NewClient(*host);
  const auto waiter = Start([&] { EXPECT_EQ(rank->Get("late"), "here"); });
  UntilWaiting(*host, 1);
  EXPECT_EQ(rank->Add("n", 1), 1);
  UntilWaiting(*host, 1);
  // It waits on a second connection now, out of everybody's way.
  const uint64_t accepted = host->server()->stats().connections_accepted;
  EXPECT_EQ(accepted, 3u);
  for (int i = 2; i < 100; ++i) EXPECT_EQ(rank->Add("n", 1), i);
  EXPECT_EQ(host->server()->stats().connections_accepted, accepted);
  rank->Set("late", "here");
}

TEST_P(TcpStoreTest, ARankThatJoinsIsKnownToTheServer) {
  const auto host = NewHost();
  TcpStoreOptions options = ClientOptionsOf(*host);
  options.rank = 3;
  options.world_size = 4;
  const auto rank = NewStore(options);
  const auto waiter = Start([&] { rank->Wait({"late"}); });
  UntilWaiting(*host, 1);
  const ServerSnapshot snapshot = host->server()->Snapshot(env_.Now() + absl::Seconds(30)).value();
  ASSERT_EQ(snapshot.name_spaces[0].waits.size(), 1u);
  EXPECT_EQ(snapshot.name_spaces[0].waits[0].rank, 3);
  EXPECT_EQ(snapshot.name_spaces[0].world_size_told, 4);
  EXPECT_EQ(snapshot.name_spaces[0].nameless_connections, 1u) << "the host's own";
  host->Set("late", "");
}

TEST_P(TcpStoreTest, ASecondConnectionOfARankIsKnownToBeItsOwn) {
  const auto host = NewHost();
  TcpStoreOptions options = ClientOptionsOf(*host);
  options.rank = 3;
  options.world_size = 4;
  const auto rank = NewStore(options);
  const auto waiter = Start([&] { rank->Wait({"late"}); });
  UntilWaiting(*host, 1);
  // The wait gives way to it.
  rank->Add("n", 1);
  UntilWaiting(*host, 1);
  const ServerSnapshot snapshot = host->server()->Snapshot(env_.Now() + absl::Seconds(30)).value();
  ASSERT_EQ(snapshot.name_spaces[0].waits.size(), 1u);
  EXPECT_EQ(snapshot.name_spaces[0].waits[0].rank, 3);
  EXPECT_EQ(snapshot.name_spaces[0].nameless_connections, 1u) << "the host's own";
  host->Set("late", "");
}

TEST_P(TcpStoreTest, SecondConnectionsAreUsedAgain) {
  const auto host = NewHost();
  const auto rank = NewClient(*host);
  for (int round = 0; round < 20; ++round) {
    const std::string key = absl::StrCat("k", round);
    const auto waiter = Start([&] { rank->Wait({key}); });
    UntilWaiting(*host, 1);
    EXPECT_FALSE(rank->Check({key}));
    rank->Set(key, "v");
  }
  EXPECT_EQ(host->server()->stats().connections_accepted, 3u);
}

TEST_P(TcpStoreTest, ManyThreadsWaitOnOneStoreAtOnce) {
  const auto host = NewHost();
  const auto rank = NewClient(*host);
  constexpr int kThreads = 8;
  {
    std::vector<std::unique_ptr<net::Thread>> waiters;
    for (int i = 0; i < kThreads; ++i) {
      waiters.push_back(Start([&, i] {
        EXPECT_EQ(rank->Get(absl::StrCat("k", i)), absl::StrCat("v", i));
        EXPECT_DIST_ERROR(rank->Wait({"never"}, kShort), ErrorCode::kWaitTimeout);
      }));
    }
    UntilWaiting(*host, kThreads);
    for (int i = 0; i < kThreads; ++i) rank->Set(absl::StrCat("k", i), absl::StrCat("v", i));
  }
  EXPECT_EQ(rank->Get("k0"), "v0");
}

TEST_P(TcpStoreTest, AWaitThatWasMovedStillEndsAtItsDeadline) {
  const auto host = NewHost();
  const auto rank = NewClient(*host);
  const auto waiter = Start([&] {
    const absl::Time deadline = env_.Now() + absl::Milliseconds(300);
    EXPECT_DIST_ERROR(rank->Wait({"never"}, absl::Milliseconds(300)), ErrorCode::kWaitTimeout);
    EXPECT_GE(env_.Now(), deadline);
    EXPECT_LT(env_.Now(), deadline + absl::Seconds(2));
  });
  UntilWaiting(*host, 1);
  EXPECT_EQ(rank->Add("n", 1), 1);
}

TEST_P(TcpStoreTest, WhatWasWrittenLastIsThereAfterTheStoreIsGone) {
  const auto host = NewHost();
  for (int round = 0; round < 20; ++round) {
    const auto rank = NewClient(*host);
    // The answer to the cancelled wait may lie unread when the connection is closed.
    EXPECT_DIST_ERROR(rank->Wait({"never"}, absl::Milliseconds(1)), ErrorCode::kWaitTimeout);
    rank->Set(absl::StrCat("k", round), std::string(100'000, 'v'));
  }
  for (int round = 0; round < 20; ++round) {
    EXPECT_EQ(host->Get(absl::StrCat("k", round)).size(), 100'000u);
  }
}

// --- Closing ---

TEST_P(TcpStoreTest, CloseEndsTheCallsOfAllThreads) {
  const auto host = NewHost();
  const auto rank = NewClient(*host);
  {
    std::vector<std::unique_ptr<net::Thread>> threads;
    const auto expect_closed = [&](const std::function<void()>& call) {
      threads.push_back(Start([call] { EXPECT_DIST_ERROR(call(), ErrorCode::kClosed); }));
    };
    expect_closed([&] { rank->Wait({"never"}); });
    expect_closed([&] { rank->Get("nor this"); });
    expect_closed([&] { rank->QueuePop("queue", /*block=*/true); });
    expect_closed([&] { rank->Barrier("barrier", 2); });
    UntilWaiting(*host, 4);
    rank->Close();
  }
  EXPECT_DIST_ERROR(rank->Set("k", "v"), ErrorCode::kClosed);
  EXPECT_DIST_ERROR(rank->Wait({"k"}, kShort), ErrorCode::kClosed);
  EXPECT_DIST_ERROR(rank->Barrier("barrier", 1), ErrorCode::kClosed);
  EXPECT_EQ(host->Add("n", 1), 1);
}

TEST_P(TcpStoreTest, CloseCanBeCalledTwiceAndAHostServesOn) {
  const auto host = NewHost();
  const auto rank = NewClient(*host);
  host->Close();
  host->Close();
  EXPECT_DIST_ERROR(host->Add("n", 1), ErrorCode::kClosed);
  EXPECT_EQ(rank->Add("n", 1), 1);
}

// --- Errors ---

// That it names no others is seen in virtual time (f2_keys_that_are_there): what is there is asked
// shortly before the deadline, and a busy machine answers after it.
TEST_P(TcpStoreTest, ATimeoutNamesTheMissingKeys) {
  const auto host = NewHost();
  host->Set("a", "1");
  host->Set("c", "1");
  const auto error = DistErrorOf([&] {
    host->Wait({"a", "b", "c", "d"}, absl::Milliseconds(300));
  });
  ASSERT_TRUE(error.has_value());
  EXPECT_THAT(error->what(), StartsWith("wait timeout after 300ms, keys: /a, /b, /c, /d"));
  EXPECT_THAT(error->details().missing_keys, IsSupersetOf({"b", "d"}));
  EXPECT_GE(error->details().elapsed, absl::Milliseconds(300));
}

TEST_P(TcpStoreTest, KeysAndValuesOverTheLimitAreNotSent) {
  const auto host = NewHost();
  host->Set(std::string(8191, 'k'), std::string(8 << 20, 'v'));  // With its "/", at the limit.
  EXPECT_EQ(host->Get(std::string(8191, 'k')).size(), size_t{8} << 20);
  const auto long_key = DistErrorOf([&] { host->Set(std::string(8192, 'k'), "v"); });
  ASSERT_TRUE(long_key.has_value());
  EXPECT_EQ(long_key->code(), ErrorCode::kKeyTooLong);
  EXPECT_THAT(long_key->what(), AllOf(HasSubstr("\"kkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkk...\" is 8193 "
                                                "bytes long"),
                                      HasSubstr("the limit is 8192"), HasSubstr("key_bytes_max")));
  const auto large_value =
      DistErrorOf([&] { host->CompareSet("k", "", std::string((8 << 20) + 1, 'v')); });
  ASSERT_TRUE(large_value.has_value());
  EXPECT_EQ(large_value->code(), ErrorCode::kValueTooLarge);
  EXPECT_THAT(large_value->what(),
              AllOf(HasSubstr("for the key \"k\" has 8388609 bytes"), HasSubstr("8388608")));
  EXPECT_DIST_ERROR(host->Check(std::vector<std::string>((128 << 10) + 1, "k")),
                    ErrorCode::kTooManyKeys);
  EXPECT_FALSE(host->Check({"k"}));
  EXPECT_EQ(host->server()->stats().connections, 1u);
}

TEST_P(TcpStoreTest, AddAndBarrierOnATextSaySo) {
  const auto host = NewHost();
  const auto rank = NewClient(*host);
  host->Set("name", "node0");
  host->Ping();  // The server has it, before another connection asks.
  const auto error = DistErrorOf([&] { rank->Add("name", 1); });
  ASSERT_TRUE(error.has_value());
  EXPECT_EQ(error->code(), ErrorCode::kNotANumber);
  EXPECT_THAT(error->what(), HasSubstr("\"node0\""));
  EXPECT_THAT(error->details().keys, ElementsAre("name"));
  EXPECT_DIST_ERROR(rank->Barrier("name", 2), ErrorCode::kNotANumber);
  EXPECT_EQ(rank->Get("name"), "node0");
}

TEST_P(TcpStoreTest, TheServersEndWakesEveryWaiter) {
  auto host = NewHost();
  const auto rank = NewClient(*host);
  const auto other = NewClient(*host);
  const uint16_t port = host->port();
  {
    const auto lost = [&](const std::function<void()>& call) {
      return [call] { EXPECT_DIST_ERROR(call(), ErrorCode::kConnectionLost); };
    };
    const auto first = Start(lost([&] { rank->Wait({"never"}); }));
    const auto second = Start(lost([&] { rank->Get("never", absl::InfiniteDuration()); }));
    const auto third = Start(lost([&] { other->Barrier("b", 2); }));
    UntilWaiting(*host, 3);
    host.reset();
  }
  // Until a server is there again, each call says at once that it is not.
  const absl::Time start = env_.Now();
  EXPECT_DIST_ERROR(rank->Add("n", 1), ErrorCode::kConnectionLost);
  EXPECT_LT(env_.Now(), start + absl::Seconds(5));
  TcpStoreOptions again = ServerOptionsOf();
  again.port = port;
  host = NewStore(again);
  EXPECT_EQ(rank->Add("n", 1), 1);
  EXPECT_EQ(other->Add("n", 1), 2);
  other->Barrier("b", 1);
}

TEST_P(TcpStoreTest, ALostServerLeavesTheOutcomeOfWritesUnknown) {
  auto host = NewHost();
  const auto rank = NewClient(*host);
  host.reset();
  // The first write still finds room in the kernel; the second may or may not.
  std::optional<DistError> error;
  for (int i = 0; i < 1000 && !error.has_value(); ++i) {
    error = DistErrorOf([&] { rank->Set("k", "v"); });
  }
  ASSERT_TRUE(error.has_value());
  EXPECT_EQ(error->code(), ErrorCode::kConnectionLost);
  EXPECT_THAT(error->what(), HasSubstr("the outcome of the set is unknown"));
}

// --- The legacy dialect ---

TEST_P(TcpStoreTest, SpeaksTheLegacyDialect) {
  const auto host = NewHost();
  TcpStoreOptions options = ClientOptionsOf(*host);
  options.dialect = protocol::Dialect::kLegacy;
  options.world_size = 2;
  const auto rank = NewStore(options);
  EXPECT_EQ(host->NumKeys(), 1);  // It has joined.
  rank->Set("k", "v");
  EXPECT_EQ(rank->Get("k"), "v");
  EXPECT_EQ(rank->Add("n", 5), 5);
  EXPECT_EQ(rank->CompareSet("k", "v", "w"), "w");
  EXPECT_TRUE(rank->Check({"k"}));
  EXPECT_TRUE(rank->DeleteKey("k"));
  EXPECT_EQ(rank->NumKeys(), 2);
  // It has no way to cancel a wait: each time-out costs a connection, and none of the answers.
  for (int round = 0; round < 3; ++round) {
    EXPECT_DIST_ERROR(rank->Get("late", kShort), ErrorCode::kWaitTimeout);
    EXPECT_EQ(rank->Add("n", 0), 5);
  }
  rank->Set("late", "here");
  EXPECT_EQ(rank->Get("late"), "here");
  EXPECT_EQ(rank->Add("n", 0), 5);
  EXPECT_DIST_ERROR(rank->QueuePush("q", "v"), ErrorCode::kUnsupported);
  EXPECT_DIST_ERROR(rank->Barrier("b", 1), ErrorCode::kUnsupported);
  EXPECT_DIST_ERROR(rank->ListKeys(), ErrorCode::kUnsupported);
  EXPECT_DIST_ERROR(rank->Ping(), ErrorCode::kUnsupported);
}

TEST_P(TcpStoreTest, ALegacyWaitDoesNotHoldUpAnotherThread) {
  const auto host = NewHost();
  TcpStoreOptions options = ClientOptionsOf(*host);
  options.dialect = protocol::Dialect::kLegacy;
  const auto rank = NewStore(options);
  const auto waiter = Start([&] { EXPECT_EQ(rank->Get("late"), "here"); });
  UntilWaiting(*host, 1);
  rank->Set("late", "here");
}

}  // namespace
}  // namespace rollcall
