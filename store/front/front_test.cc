// What fronts do beyond the contracts: together, with EtcdStores, for one client, and apart for
// each name space.
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "store/dist_error.h"
#include "store/engine/client_id.h"
#include "store/engine/store_engine.h"
#include "store/front/front_fixture.h"
#include "store/protocol/dialect.h"
#include "store/protocol/request.h"
#include "store/protocol/request_parser.h"
#include "store/protocol/wire_text.h"
#include "store/server/engine_port.h"
#include "store/server/late_replies.h"
#include "store/server/loop_number.h"
#include "store/server/server_engine.h"
#include "store/server/snapshot_parts.h"
#include "testing/dist_error_matchers.h"

namespace rollcall {
namespace {

using protocol::Dialect;
using testing::ElementsAre;

class FrontTest : public FrontFixture {
 protected:
  void AwaitWaiting(const StoreServer& front, size_t clients) {
    while (front.stats().waiting_clients != clients) env().SleepUntil(env().Now());
  }
};

// --- Fronts and stores side by side ---

TEST_F(FrontTest, SixteenRanksThroughTwoFrontsMeet) {
  constexpr int kRanks = 16;
  constexpr int kAddsOfEach = 20;
  StartCluster();
  const std::vector<std::unique_ptr<StoreServer>> fronts = [&] {
    std::vector<std::unique_ptr<StoreServer>> started;
    for (int i = 0; i < 2; ++i) started.push_back(StartFront());
    return started;
  }();
  std::vector<std::unique_ptr<net::Thread>> ranks;
  for (int rank = 0; rank < kRanks; ++rank) {
    ranks.push_back(env().StartThread("rank", [&, rank] {
      const auto broken = DistErrorOf([&] {
        const std::unique_ptr<TcpStore> store = Join(*fronts[rank % 2]);
        store->Set(absl::StrCat("address/", rank), absl::StrCat("host", rank));
        // The neighbour has come by the other front.
        const int neighbour = (rank + 1) % kRanks;
        EXPECT_EQ(store->Get(absl::StrCat("address/", neighbour)), absl::StrCat("host", neighbour));
        for (int i = 0; i < kAddsOfEach; ++i) store->Add("counter", 1);
        store->Barrier("added", kRanks);
        EXPECT_EQ(store->Get("counter"), absl::StrCat(kRanks * kAddsOfEach));
        const std::string leader = store->CompareSet("leader", "", absl::StrCat(rank));
        EXPECT_EQ(store->Get("leader"), leader);
        store->QueuePush("work", absl::StrCat(rank));
        EXPECT_NE(store->QueuePop("work"), "");
      });
      EXPECT_FALSE(broken.has_value()) << broken->what();
    }));
  }
  ranks.clear();
}

TEST_F(FrontTest, AFrontAndAnEtcdStoreSeeTheSameKeys) {
  StartCluster();
  const std::unique_ptr<StoreServer> front = StartFront();
  const std::unique_ptr<TcpStore> by_front = Join(*front);
  const std::unique_ptr<EtcdStore> direct = Open();
  by_front->Set("k", "by front");
  by_front->Check({"k"});
  EXPECT_EQ(direct->Get("k"), "by front");
  direct->Set("d", "direct");
  EXPECT_EQ(by_front->Get("d"), "direct");
  EXPECT_EQ(direct->Add("n", 2), 2);
  EXPECT_EQ(by_front->Add("n", 3), 5);
  by_front->QueuePush("q", "1");
  EXPECT_EQ(by_front->QueueLen("q"), 1);
  direct->QueuePush("q", "2");
  EXPECT_EQ(direct->QueuePop("q"), "1");
  EXPECT_EQ(by_front->QueuePop("q"), "2");
  EXPECT_THAT(direct->ListKeys(), ElementsAre("d", "k", "n"));
  EXPECT_EQ(direct->NumKeys(), 3);
  EXPECT_EQ(by_front->NumKeys(), 3);
  const std::unique_ptr<net::Thread> waiter =
      env().StartThread("waiter", [&] { EXPECT_EQ(by_front->Get("late"), "v"); });
  AwaitWaiting(*front, 1);
  direct->Set("late", "v");
}

TEST_F(FrontTest, AFrontCountsKeysAndKnowsWhoWaits) {
  StartCluster();
  std::unique_ptr<EtcdStore> direct = Open();
  direct->Set("before", "");
  const std::unique_ptr<StoreServer> front = StartFront();
  EXPECT_EQ(front->stats().keys, 1u);
  RawPeer peer = Peer(*front);
  peer.Say(protocol::Greeting(Dialect::kModern) +
           ServerScenario::Request("set \"rollcall/rank/3\" \"8\""));
  EXPECT_EQ(ServerScenario::Ask(peer, R"(add "init/" 1)", "number 0"),
            ServerScenario::Reply("number 1"));
  direct->DeleteKey("before");
  direct->Set("a", "");
  direct->Set("b", "");
  direct->Set("b", "again");
  ServerScenario::BeginWait(peer, "/c");
  while (front->stats().keys != 3) env().SleepUntil(env().Now());
  EXPECT_EQ(front->stats().waiting_clients, 1u);
  const ServerSnapshot snapshot = front->Snapshot(env().Now() + absl::Minutes(1)).value();
  ASSERT_EQ(snapshot.name_spaces[0].waits.size(), 1u);
  EXPECT_EQ(snapshot.name_spaces[0].waits[0].rank, 3);
  EXPECT_THAT(snapshot.name_spaces[0].waits[0].names, ElementsAre("/c"));
  EXPECT_EQ(snapshot.name_spaces[0].workers_joined, 1);
  EXPECT_EQ(snapshot.name_spaces[0].world_size_told, 8);
  EXPECT_EQ(ServerScenario::Ask(peer, "list_keys", R"(list "/a" "/b" "init/")"),
            ServerScenario::Reply(R"(list "/a" "/b" "init/")"));
}

// --- One client ---

TEST_F(FrontTest, AWaitHoldsUpNothingThatComesBehindIt) {
  StartCluster();
  const std::unique_ptr<StoreServer> front = StartFront();
  RawPeer peer = Peer(*front);
  peer.Say(protocol::Greeting(Dialect::kModern) + ServerScenario::Request(R"(wait "/never")") +
           ServerScenario::Request(R"(set "/k" "v")") + ServerScenario::Request(R"(get "/k")") +
           ServerScenario::Request("cancel_wait") + ServerScenario::Request("ping 7"));
  const std::string expected = ServerScenario::Reply(R"(bytes "v")") +
                               ServerScenario::Reply("signal 1") + ServerScenario::Reply("nonce 7");
  EXPECT_EQ(peer.Hear(expected.size()), expected);
  EXPECT_EQ(front->stats().waiting_clients, 0u);
}

TEST_F(FrontTest, AKeyThatCameAndWentWasThere) {
  StartCluster();
  const std::unique_ptr<StoreServer> front = StartFront();
  RawPeer peer = Peer(*front);
  peer.Say(protocol::Greeting(Dialect::kModern));
  peer.Say(ServerScenario::Request(R"(wait "/a" "/b")"));
  ServerScenario::ExpectServed(peer);
  const std::unique_ptr<EtcdStore> direct = Open();
  direct->Set("a", "");
  direct->DeleteKey("a");
  direct->Set("b", "");
  EXPECT_EQ(peer.Hear(1), ServerScenario::Reply("signal 0"));
}

TEST_F(FrontTest, WhatAClientSetBeforeItLeftIsSet) {
  constexpr int kSets = 100;
  StartCluster();
  const std::unique_ptr<StoreServer> front = StartFront();
  {
    RawPeer peer = Peer(*front);
    std::string requests = protocol::Greeting(Dialect::kModern);
    for (int i = 0; i < kSets; ++i) {
      requests += ServerScenario::SetRequest(absl::StrCat("/", i % 40), absl::StrCat(i));
      requests += ServerScenario::Request(R"(append "/log" "x")");
    }
    peer.Say(requests);
  }
  const std::unique_ptr<EtcdStore> direct = Open();
  while (!direct->Check({"log"}) || direct->Get("log").size() < kSets) continue;
  for (int i = 0; i < 40; ++i) {
    EXPECT_EQ(direct->Get(absl::StrCat(i)), absl::StrCat(i < 20 ? 80 + i : 40 + i));
  }
}

TEST_F(FrontTest, AFrontThatIsStoppedFirstDoesWhatItWasAsked) {
  constexpr int kAdds = 300;
  StartCluster();
  std::unique_ptr<StoreServer> front = StartFront();
  RawPeer peer = Peer(*front);
  peer.Say(protocol::Greeting(Dialect::kModern) +
           ServerScenario::Repeated(ServerScenario::Request(R"(add "/n" 1)"), kAdds));
  EXPECT_EQ(peer.Hear(8), ServerScenario::Reply("number 1"));
  front.reset();
  // What was answered was done, and what was done is no more than what was asked.
  const size_t answered = 1 + peer.HearToTheEnd().size() / 8;
  const std::unique_ptr<EtcdStore> direct = Open();
  int64_t done = 0;
  ASSERT_TRUE(absl::SimpleAtoi(direct->Get("n"), &done));
  EXPECT_GE(static_cast<size_t>(done), answered);
  EXPECT_LE(done, kAdds);
}

TEST_F(FrontTest, LegacyClientsHearOfEveryChange) {
  StartCluster();
  const std::unique_ptr<EtcdStore> direct = Open();
  direct->Set("w", "0");
  const std::unique_ptr<StoreServer> front = StartFront();
  RawPeer watcher = Peer(*front);
  watcher.Say(ServerScenario::LegacyRequest(R"(watch_key "/w")"));
  EXPECT_EQ(watcher.Hear(1), ServerScenario::Reply("signal 3"));
  direct->Set("w", "1");
  direct->DeleteKey("w");
  direct->Set("other", "");
  direct->Add("w", 5);
  for (const absl::string_view event : {R"(key_event 0 "/w" "0" "1")", R"(key_event 2 "/w" "1" "")",
                                        R"(key_event 1 "/w" "" "5")"}) {
    const std::string expected = ServerScenario::Reply(event);
    EXPECT_EQ(watcher.Hear(expected.size()), expected) << event;
  }
}

TEST_F(FrontTest, ALegacyClientThatAsksForMoreHasGivenItsWaitUp) {
  StartCluster();
  const std::unique_ptr<StoreServer> front = StartFront();
  RawPeer peer = Peer(*front);
  peer.Say(ServerScenario::LegacyRequest(R"(wait "/late")"));
  AwaitWaiting(*front, 1);
  peer.Say(ServerScenario::LegacyRequest(R"(add "/n" 1)"));
  EXPECT_EQ(peer.Hear(8), ServerScenario::Reply("number 1"));
  EXPECT_EQ(front->stats().waiting_clients, 0u);
}

// --- Name spaces ---

// One loop's port, without a loop.
class FrontPortDriver {
 public:
  FrontPortDriver(net::Env& env, FrontOptions options)
      : env_(env), engine_(NewFrontEngine(std::move(options))(env, 1).value()) {}

  EnginePort& port() { return *engine_->port(0); }
  void Connect(engine::ClientId client, absl::string_view name_space) {
    const Batch batch(*this);
    port().Connect(client, Dialect::kModern, name_space);
  }
  void Say(engine::ClientId client, absl::string_view line) {
    const std::string bytes = protocol::Greeting(Dialect::kModern) + ServerScenario::Request(line);
    const protocol::ParserOptions options;
    protocol::RequestParser parser(&options);
    parser.Feed(bytes);
    protocol::Request* const request = parser.Next();
    const Batch batch(*this);
    engine::Replies replies;
    port().Apply(client, *request, env_.Now(), replies);
    EXPECT_TRUE(replies.empty());
  }
  // Says it, and returns the next that comes for `client`.
  std::string Ask(engine::ClientId client, absl::string_view line) {
    Say(client, line);
    std::string& heard = heard_[client];
    while (heard.empty()) const Batch batch(*this);
    return std::exchange(heard, "");
  }

 private:
  // What is late is kept by client.
  class Batch {
   public:
    explicit Batch(FrontPortDriver& driver) : driver_(driver) {
      LateReplies late;
      driver_.port().Begin(late);
      late.ForEach([&](engine::ClientId to, LateKind kind, absl::string_view bytes) {
        if (kind == LateKind::kReply) driver_.heard_[to].append(bytes.data(), bytes.size());
      });
    }
    ~Batch() { driver_.port().End(); }

   private:
    FrontPortDriver& driver_;
  };

  net::Env& env_;
  std::map<engine::ClientId, std::string> heard_;
  const std::unique_ptr<ServerEngine> engine_;
};

TEST_F(FrontTest, NameSpacesDoNotMeet) {
  StartCluster();
  FrontPortDriver front(env(), {.etcd = Options()});
  const std::vector<std::string> spaces = {"", "a", "a", "b"};
  std::vector<engine::ClientId> clients;
  for (const std::string& space : spaces) {
    clients.push_back(MakeClientId(clients.size(), 0, clients.size()));
    front.Connect(clients.back(), space);
  }
  for (const auto& [client, sum] :
       std::vector<std::pair<size_t, int>>{{0, 1}, {1, 1}, {2, 2}, {3, 1}}) {
    EXPECT_EQ(front.Ask(clients[client], R"(add "/n" 1)"),
              ServerScenario::Reply(absl::StrCat("number ", sum)));
  }
  EXPECT_EQ(Ctl({"get", "/job/space/a/k/n", "--print-value-only"}), "2\n");
  EXPECT_EQ(Ctl({"get", "/job/k/n", "--print-value-only"}), "1\n");
  front.Say(clients[3], R"(wait "/k")");
  front.Say(clients[1], R"(set "/k" "v")");
  EXPECT_EQ(front.Ask(clients[2], R"(wait "/k")"), ServerScenario::Reply("signal 0"));
  EXPECT_EQ(front.Ask(clients[3], "cancel_wait"), ServerScenario::Reply("signal 1"));
  EXPECT_EQ(front.Ask(clients[3], "num_keys"), ServerScenario::Reply("number 1"));
  std::vector<std::string> seen;
  for (const EngineSnapshot& snapshot : front.port().Snapshot()) {
    seen.push_back(snapshot.name_space);
  }
  EXPECT_THAT(seen, ElementsAre("", "a", "b"));
}

TEST_F(FrontTest, AFrontThatEndsWaitsForNoNameSpaceToBeOpened) {
  StartCluster();
  // Longer than a test may take.
  FrontPortDriver front(
      env(), {.etcd = Options(), .patience = absl::Hours(24), .farewell = absl::ZeroDuration()});
  cluster().Kill(0);
  front.Connect(MakeClientId(0, 0, 0), "a");
}

}  // namespace
}  // namespace rollcall
