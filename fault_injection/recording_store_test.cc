// Real threads on real stores, their history checked.
#include "fault_injection/recording_store.h"

#include <memory>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "fault_injection/history.h"
#include "fault_injection/linearize.h"
#include "gtest/gtest.h"
#include "net/real_env.h"
#include "store/dist_error.h"
#include "store/hash_store.h"
#include "store/server/store_server.h"
#include "store/tcp_store.h"

namespace rollcall::fault {
namespace {

// Every kind of operation, on few keys, so that threads meet.
void MixedWork(Store& store, int client) {
  for (int i = 0; i < 40; ++i) {
    const std::string key = absl::StrCat("k", (client + i) % 3);
    switch (i % 8) {
      case 0:
        store.Set(key, absl::StrCat(client, ".", i));
        break;
      case 1:
        store.Append(key, "+");
        break;
      case 2:
        store.Add("n", 1);
        break;
      case 3:
        store.Check({key, "n"});
        break;
      case 4:
        store.QueuePush("q", absl::StrCat(client, ".", i));
        break;
      case 5:
        store.QueuePop("q", /*block=*/true, absl::Seconds(30));
        break;
      case 6:
        store.MultiSet({"a", "b"}, {absl::StrCat(i), absl::StrCat(i)});
        store.CompareSet("c", "", absl::StrCat(client));
        break;
      default:
        store.MultiGet({"a", "b"});
        store.Get("n");
    }
  }
}

class RecordedWork : public testing::Test {
 protected:
  void RunThreads(int count, absl::FunctionRef<std::shared_ptr<Store>()> open) {
    std::vector<std::unique_ptr<RecordingStore>> stores;
    for (int i = 0; i < count; ++i) {
      stores.push_back(std::make_unique<RecordingStore>(open(), &recorder_));
    }
    std::vector<std::unique_ptr<net::Thread>> threads;
    for (int i = 0; i < count; ++i) {
      threads.push_back(net::RealEnv().StartThread(
          "client", [&store = *stores[static_cast<size_t>(i)], i] { MixedWork(store, i); }));
    }
  }

  void ExpectLinearizable() {
    const History history = recorder_.history();
    const LinearizeResult result = CheckLinearizable(history);
    EXPECT_EQ(result.verdict, Verdict::kLinearizable) << result.explanation << "\n"
                                                      << HistoryToText(history);
  }

  HistoryRecorder recorder_{net::RealEnv()};
};

TEST_F(RecordedWork, OnAHashStoreIsLinearizable) {
  HashStore root(net::RealEnv());
  RunThreads(4, [&] { return std::shared_ptr<Store>(root.Clone()); });
  ExpectLinearizable();
}

TEST_F(RecordedWork, OnAServerIsLinearizable) {
  const auto server = StoreServer::Start(net::RealEnv(), {.host = "127.0.0.1"}).value();
  TcpStoreOptions options;
  options.host = "127.0.0.1";
  options.port = server->port();
  RunThreads(4, [&] { return std::make_shared<TcpStore>(net::RealEnv(), options); });
  ExpectLinearizable();
}

TEST_F(RecordedWork, AnEmptyQueueIsAnAnswer) {
  RecordingStore store(std::make_shared<HashStore>(net::RealEnv()), &recorder_);
  EXPECT_THROW(store.QueuePop("q", false), DistQueueEmptyError);
  const History history = recorder_.history();
  ASSERT_EQ(history.size(), 1u);
  EXPECT_EQ(history[0].kind, HistoryKind::kQueueEmpty);
  EXPECT_EQ(history[0].outcome, Outcome::kOk);
}

TEST_F(RecordedWork, ALostServerLeavesTheOutcomeOpen) {
  const auto server = StoreServer::Start(net::RealEnv(), {.host = "127.0.0.1"}).value();
  TcpStoreOptions options;
  options.host = "127.0.0.1";
  options.port = server->port();
  RecordingStore store(std::make_shared<TcpStore>(net::RealEnv(), options), &recorder_);
  store.Set("k", "v");
  server->Stop();
  EXPECT_THROW(store.Add("n", 1), DistNetworkError);
  const History history = recorder_.history();
  ASSERT_EQ(history.size(), 2u);
  EXPECT_EQ(history[0].outcome, Outcome::kUnknown);
  EXPECT_EQ(history[1].outcome, Outcome::kUnknown);
}

TEST_F(RecordedWork, WhatIsUnderWayIsUnknown) {
  HashStore root(net::RealEnv());
  RecordingStore store(root.Clone(), &recorder_);
  {
    const auto waiter =
        net::RealEnv().StartThread("waiter", [&] { store.Wait({"k"}, absl::Seconds(30)); });
    while (recorder_.history().empty()) {
    }
    EXPECT_EQ(recorder_.history()[0].kind, HistoryKind::kWait);
    EXPECT_EQ(recorder_.history()[0].outcome, Outcome::kUnknown);
    root.Set("k", "v");
  }
  ASSERT_EQ(recorder_.history().size(), 1u);
  EXPECT_EQ(recorder_.history()[0].outcome, Outcome::kOk);
}

TEST_F(RecordedWork, ATimeoutSaysNothingOfTheStore) {
  RecordingStore store(std::make_shared<HashStore>(net::RealEnv()), &recorder_);
  EXPECT_THROW(store.Get("k", absl::ZeroDuration()), DistStoreError);
  EXPECT_EQ(recorder_.history().at(0).outcome, Outcome::kFailed);
}

}  // namespace
}  // namespace rollcall::fault
