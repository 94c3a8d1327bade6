#include "store/server/server_core.h"

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "net/event_loop.h"
#include "store/protocol/dialect.h"
#include "store/protocol/wire_text.h"
#include "store/server/core_scenario.h"

namespace rollcall {
namespace {

using protocol::Dialect;

// --- Requests and replies ---

using ServerCoreTest = CoreScenario;

TEST_F(ServerCoreTest, AnswersWhatItIsAsked) {
  const Peer client = Client();
  EXPECT_EQ(Ask(client, R"(set "/k" "v")"), "");
  EXPECT_EQ(Ask(client, R"(get "/k")"), Reply(R"(bytes "v")"));
  EXPECT_EQ(Ask(client, R"(add "/n" 5)"), Reply("number 5"));
  EXPECT_EQ(Ask(client, "ping 77"), Reply("nonce 77"));
  EXPECT_EQ(stats().requests, 4u);
  EXPECT_EQ(stats().keys, 2u);
}

TEST_F(ServerCoreTest, ManyRequestsInOnePieceAreAnsweredInOrderInOneWrite) {
  const Peer client = Client();
  Send(client, Repeated(Request(R"(add "/n" 1)"), 3) + Request(R"(get "/n")"));
  EXPECT_EQ(client->TakeReceived(),
            Reply("number 1") + Reply("number 2") + Reply("number 3") + Reply(R"(bytes "3")"));
  EXPECT_EQ(client->writes(), 1u);
}

TEST_F(ServerCoreTest, AWaiterIsToldOnceAndByOneWrite) {
  const Peer waiter = Client();
  const Peer setter = Client();
  EXPECT_EQ(Ask(waiter, R"(wait "/a" "/b")"), "");
  EXPECT_EQ(stats().waiting_clients, 1u);
  Say(setter, R"(multi_set "/a" "1" "/b" "2")");
  EXPECT_EQ(waiter->TakeReceived(), Reply("signal 0"));
  EXPECT_EQ(waiter->writes(), 1u);
  EXPECT_EQ(stats().waiting_clients, 0u);
}

TEST_F(ServerCoreTest, AWatcherGetsAllEventsOfOnePieceInOneWrite) {
  const Peer watcher = Connect();
  Send(watcher, protocol::RequestBytes(Dialect::kLegacy, R"(watch_key "/k")"));
  EXPECT_EQ(watcher->TakeReceived(), Reply("signal 3"));
  const Peer setter = Client();
  Send(setter, Request(R"(set "/k" "1")") + Request(R"(set "/k" "2")"));
  EXPECT_EQ(watcher->TakeReceived(),
            Reply(R"(key_event 1 "/k" "" "1")") + Reply(R"(key_event 0 "/k" "1" "2")"));
  EXPECT_EQ(watcher->writes(), 2u);
}

TEST_F(ServerCoreTest, BothDialectsAtOnceSeeTheSameKeys) {
  const Peer modern = Client();
  const Peer legacy = Client(Dialect::kLegacy);
  Send(legacy, protocol::RequestBytes(Dialect::kLegacy, R"(set "/k" "from legacy")"));
  EXPECT_EQ(Ask(modern, R"(get "/k")"), Reply(R"(bytes "from legacy")"));
  Say(modern, R"(set "/k" "from modern")");
  Send(legacy, protocol::RequestBytes(Dialect::kLegacy, R"(get "/k")"));
  EXPECT_EQ(legacy->TakeReceived(), Reply(R"(bytes "from modern")"));
}

TEST_F(ServerCoreTest, EveryRequestMayComeInAnyTwoPieces) {
  const std::string said = protocol::Greeting(Dialect::kModern) + Request(R"(set "/k" "v")") +
                           Request(R"(multi_get "/k" "/k")");
  for (size_t cut = 0; cut <= said.size(); ++cut) {
    const Peer client = Connect();
    Send(client, said.substr(0, cut));
    Send(client, said.substr(cut));
    EXPECT_EQ(client->TakeReceived(), Reply(R"(texts "v" "v")")) << "cut at byte " << cut;
    client->EndStream();
  }
}

TEST_F(ServerCoreTest, HalfARequestChangesNothingAndHoldsUpNobody) {
  const Peer half = Client();
  const std::string request = Request(R"(multi_set "/a" "1" "/b" "2")");
  Send(half, request.substr(0, request.size() - 1));
  const Peer other = Client();
  EXPECT_EQ(Ask(other, R"(check "/a")"), Reply("signal 1"));
  half->EndStream();
  loop_.RunUntilIdle();
  EXPECT_TRUE(half->closed_by_server());
  EXPECT_EQ(Ask(other, R"(check "/a")"), Reply("signal 1"));
  EXPECT_EQ(stats().connections, 1u);
}

// --- Peers that are wrong ---

TEST_F(ServerCoreTest, AWrongGreetingCostsOnlyItsOwnConnection) {
  const Peer client = Client();
  const Peer stranger = Connect();
  Send(stranger, "GET / HTTP/1.1\r\n\r\n");
  EXPECT_TRUE(stranger->closed_by_server());
  EXPECT_EQ(stranger->TakeReceived(), "");
  EXPECT_EQ(Ask(client, "ping 1"), Reply("nonce 1"));
  EXPECT_EQ(stats().connections_refused, 1u);
  EXPECT_EQ(stats().connections, 1u);
}

TEST_F(ServerCoreTest, RepliesThatWereDueAreSentBeforeABrokenPeerIsClosed) {
  const Peer client = Client();
  Send(client, Request("ping 5") + "\xFF");
  EXPECT_EQ(client->TakeReceived(), Reply("nonce 5"));
  EXPECT_TRUE(client->closed_by_server());
}

TEST_F(ServerCoreTest, AMissingKeyIsEmptyForModernClientsAndTheEndForLegacyOnes) {
  EXPECT_EQ(Ask(Client(), R"(get "/none")"), Reply(R"(bytes "")"));
  const Peer legacy = Client(Dialect::kLegacy);
  Send(legacy, protocol::RequestBytes(Dialect::kLegacy, R"(set "/k" "v")") +
                   protocol::RequestBytes(Dialect::kLegacy, R"(get "/k")") +
                   protocol::RequestBytes(Dialect::kLegacy, R"(get "/none")"));
  EXPECT_EQ(legacy->TakeReceived(), Reply(R"(bytes "v")"));
  EXPECT_TRUE(legacy->closed_by_server());
}

TEST_F(ServerCoreTest, LimitsAreInclusive) {
  options_.parser.limits.key_bytes_max = 4;
  options_.parser.limits.value_bytes_max = 3;
  options_.parser.limits.keys_per_request_max = 2;
  const Peer client = Client();
  Say(client, R"(set "/abc" "123")");
  EXPECT_EQ(Ask(client, R"(check "/abc" "/abc")"), Reply("signal 0"));
  for (const absl::string_view too_much :
       {R"(set "/abcd" "1")", R"(set "/abc" "1234")", R"(check "/a" "/b" "/c")"}) {
    const Peer greedy = Client();
    Say(greedy, too_much);
    EXPECT_TRUE(greedy->closed_by_server()) << too_much;
  }
  EXPECT_EQ(Ask(client, R"(get "/abc")"), Reply(R"(bytes "123")"));
}

TEST_F(ServerCoreTest, AWaiterThatIsGoneDoesNotHurtTheSetter) {
  const Peer reset = Client();
  const Peer half_closed = Client();
  const Peer alive = Client();
  for (const Peer& waiter : {reset, half_closed, alive}) Say(waiter, R"(wait "/k")");
  EXPECT_EQ(stats().waiting_clients, 3u);
  half_closed->EndStream();
  loop_.RunUntilIdle();
  // Torch's servers forget the waits of a client that closed its side.
  EXPECT_EQ(stats().waiting_clients, 2u);
  const Peer setter = Client();
  reset->Reset();
  setter->Send(Request(R"(set "/k" "v")") + Request("ping 1"));
  loop_.RunUntilIdle();
  EXPECT_EQ(setter->TakeReceived(), Reply("nonce 1"));
  EXPECT_EQ(alive->TakeReceived(), Reply("signal 0"));
  EXPECT_EQ(half_closed->TakeReceived(), "");
  EXPECT_EQ(engine().client_count(), 2u);
}

// --- Limits in time and number ---

TEST_F(ServerCoreTest, HalfARequestHasALimitedTime) {
  options_.half_request_timeout = absl::Seconds(60);
  const Peer half = Client();
  const std::string request = Request(R"(set "/k" "v")");
  Send(half, request.substr(0, 5));
  loop_.AdvanceBy(absl::Seconds(59));
  // More of the same request does not give it more time.
  Send(half, request.substr(5, 1));
  EXPECT_FALSE(half->closed_by_server());
  loop_.AdvanceBy(absl::Seconds(1));
  EXPECT_TRUE(half->closed_by_server());
}

TEST_F(ServerCoreTest, HalfAGreetingHasALimitedTimeAndSilenceHasNone) {
  const Peer silent = Connect();
  const Peer half = Connect();
  Send(half, protocol::Greeting(Dialect::kModern).substr(0, 3));
  const Peer idle = Client();
  loop_.AdvanceBy(absl::Hours(24));
  EXPECT_TRUE(half->closed_by_server());
  EXPECT_FALSE(silent->closed_by_server());
  EXPECT_FALSE(idle->closed_by_server());
  EXPECT_EQ(loop_.pending_timers(), 0u);
}

TEST_F(ServerCoreTest, EachRequestHasItsOwnTime) {
  options_.half_request_timeout = absl::Seconds(60);
  const Peer client = Client();
  const std::string ping = Request("ping 1");
  Send(client, ping.substr(0, 2));
  for (int i = 0; i < 10; ++i) {
    loop_.AdvanceBy(absl::Seconds(40));
    Send(client, ping.substr(2) + ping.substr(0, 2));
    EXPECT_EQ(client->TakeReceived(), Reply("nonce 1"));
  }
  Send(client, ping.substr(2));
  loop_.AdvanceBy(absl::Hours(1));
  EXPECT_FALSE(client->closed_by_server());
}

TEST_F(ServerCoreTest, OneTimerServesAllWhoAreLate) {
  options_.half_request_timeout = absl::Seconds(60);
  std::vector<Peer> late;
  for (int i = 0; i < 100; ++i) {
    late.push_back(Client());
    Send(late.back(), "\x01");
    loop_.AdvanceBy(absl::Milliseconds(10));
    EXPECT_EQ(loop_.pending_timers(), 1u);
  }
  late[50]->EndStream();
  loop_.AdvanceBy(absl::Seconds(59));
  EXPECT_TRUE(late.front()->closed_by_server());
  EXPECT_FALSE(late.back()->closed_by_server());
  loop_.AdvanceBy(absl::Seconds(1));
  EXPECT_EQ(stats().connections, 0u);
  EXPECT_EQ(stats().connections_refused, 99u);
}

TEST_F(ServerCoreTest, TheOldestSilentConnectionMakesWay) {
  options_.silent_connections_max = 2;
  const Peer first = Connect();
  const Peer spoke = Client();
  const Peer second = Connect();
  EXPECT_FALSE(first->closed_by_server());
  const Peer third = Connect();
  EXPECT_TRUE(first->closed_by_server());
  EXPECT_FALSE(spoke->closed_by_server());
  EXPECT_FALSE(second->closed_by_server());
  EXPECT_FALSE(third->closed_by_server());
}

TEST_F(ServerCoreTest, ConnectionsBeyondTheLimitAreClosedUntilThereIsRoom) {
  options_.connections_max = 2;
  const Peer first = Client();
  const Peer second = Client();
  const Peer third = Connect();
  EXPECT_TRUE(third->closed_by_server());
  EXPECT_EQ(stats().connections_refused, 1u);
  first->EndStream();
  loop_.RunUntilIdle();
  EXPECT_EQ(Ask(Client(), "ping 1"), Reply("nonce 1"));
}

// --- Slow readers ---

TEST_F(ServerCoreTest, ASlowReaderIsNotReadFromUntilItHasTakenItsReplies) {
  options_.unsent_bytes_soft_max = 100'000;
  const Peer slow = Client();
  const std::string value(50'000, 'v');
  Send(slow, Request(absl::StrCat("set \"/k\" \"", value, "\"")));
  slow->SetWindow(0);
  // 100 replies of 50,000 bytes are asked for, but only as many are made as there is room for.
  Send(slow, Repeated(Request(R"(get "/k")"), 100));
  EXPECT_FALSE(slow->read_from());
  EXPECT_LT(stats().requests, 10u);
  Send(slow, Request("ping 9"));
  EXPECT_LT(stats().requests, 10u);
  const std::string one = Reply(absl::StrCat("bytes \"", value, "\""));
  std::string received;
  while (received.size() < 100 * one.size() + 4) {
    slow->SetWindow(77'777);
    loop_.RunUntilIdle();
    const std::string more = slow->TakeReceived();
    ASSERT_FALSE(more.empty()) << "after " << received.size() << " bytes";
    received += more;
  }
  EXPECT_EQ(received, Repeated(one, 100) + Reply("nonce 9"));
  EXPECT_TRUE(slow->read_from());
}

TEST_F(ServerCoreTest, ALargeReplyKeepsItsPlaceAmongSmallOnes) {
  const std::string value(100'000, 'v');
  const Peer waiter = Client();
  Say(waiter, R"(wait "/late")");
  const Peer client = Client();
  Send(client, Request(absl::StrCat("set \"/k\" \"", value, "\"")));
  Send(client, Request(R"(add "/n" 1)") + Request(R"(set "/late" "x")") + Request(R"(get "/k")") +
                   Request(R"(add "/n" 1)"));
  EXPECT_EQ(client->TakeReceived(),
            Reply("number 1") + Reply(absl::StrCat("bytes \"", value, "\"")) + Reply("number 2"));
  EXPECT_EQ(waiter->TakeReceived(), Reply("signal 0"));
}

TEST_F(ServerCoreTest, APausedClientsTimeDoesNotRun) {
  options_.unsent_bytes_soft_max = 10;
  const Peer slow = Client();
  slow->SetWindow(0);
  // The write of its three replies finds it in the middle of the fourth request.
  Send(slow, Repeated(Request("ping 1"), 3) + Request("ping 2").substr(0, 2));
  EXPECT_FALSE(slow->read_from());
  loop_.AdvanceBy(absl::Hours(1));
  EXPECT_FALSE(slow->closed_by_server());
  slow->SetWindow(1000);
  loop_.RunUntilIdle();
  EXPECT_TRUE(slow->read_from());
  loop_.AdvanceBy(absl::Seconds(59));
  EXPECT_FALSE(slow->closed_by_server());
  loop_.AdvanceBy(absl::Seconds(1));
  EXPECT_TRUE(slow->closed_by_server());
}

TEST_F(ServerCoreTest, AnIdleClientThatWasSlowIsLeftAlone) {
  options_.unsent_bytes_soft_max = 10;
  const Peer slow = Client();
  slow->SetWindow(0);
  Send(slow, Repeated(Request("ping 1"), 20));
  slow->SetWindow(1000);
  loop_.RunUntilIdle();
  EXPECT_EQ(slow->TakeReceived(), Repeated(Reply("nonce 1"), 20));
  loop_.AdvanceBy(absl::Hours(24));
  EXPECT_FALSE(slow->closed_by_server());
  EXPECT_EQ(Ask(slow, "ping 3"), Reply("nonce 3"));
}

TEST_F(ServerCoreTest, AReplyBeyondTheHardLimitClosesTheConnection) {
  options_.unsent_bytes_soft_max = 1000;
  options_.unsent_bytes_hard_max = 10'000;
  const Peer client = Client();
  Say(client, absl::StrCat("set \"/k\" \"", std::string(4000, 'v'), "\""));
  EXPECT_EQ(Ask(client, R"(multi_get "/k" "/k")").size(), 8016u);
  EXPECT_EQ(Ask(client, R"(multi_get "/k" "/k" "/k")"), "");
  EXPECT_TRUE(client->closed_by_server());
  EXPECT_EQ(stats().connections_refused, 1u);
}

TEST_F(ServerCoreTest, AWatcherThatReadsNothingIsClosedAtTheHardLimitAndNobodyElseNotices) {
  options_.unsent_bytes_soft_max = 1000;
  options_.unsent_bytes_hard_max = 10'000;
  const Peer watcher = Connect();
  Send(watcher, protocol::RequestBytes(Dialect::kLegacy, R"(watch_key "/k")"));
  watcher->SetWindow(0);
  const Peer setter = Client();
  const std::string set = Request(absl::StrCat("set \"/k\" \"", std::string(900, 'v'), "\""));
  Send(setter, Repeated(set, 5));
  EXPECT_FALSE(watcher->closed_by_server());
  Send(setter, Repeated(set, 5) + Request("ping 1"));
  EXPECT_TRUE(watcher->closed_by_server());
  EXPECT_EQ(setter->TakeReceived(), Reply("nonce 1"));
  EXPECT_EQ(engine().client_count(), 1u);
}

// --- Ends ---

TEST_F(ServerCoreTest, AClientThatClosedItsSideStillGetsItsReplies) {
  const Peer client = Client();
  client->SetWindow(0);
  client->Send(Request("ping 1"));
  client->EndStream();
  loop_.RunUntilIdle();
  EXPECT_FALSE(client->closed_by_server());
  EXPECT_EQ(engine().client_count(), 0u);
  client->SetWindow(100);
  loop_.RunUntilIdle();
  EXPECT_EQ(client->TakeReceived(), Reply("nonce 1"));
  EXPECT_TRUE(client->closed_by_server());
}

TEST_F(ServerCoreTest, AClientThatDoesNotTakeItsLastRepliesIsNotWaitedForForEver) {
  options_.half_request_timeout = absl::Seconds(60);
  const Peer client = Client();
  client->SetWindow(0);
  client->Send(Request("ping 1"));
  client->EndStream();
  loop_.RunUntilIdle();
  loop_.AdvanceBy(absl::Seconds(60));
  EXPECT_TRUE(client->closed_by_server());
  EXPECT_EQ(loop_.open_streams(), 0u);
}

TEST_F(ServerCoreTest, ShutdownTellsEveryWaiterAtOnce) {
  const Peer waiter = Client();
  Say(waiter, R"(wait "/never")");
  const Peer silent = Connect();
  bool done = false;
  core().Shutdown([&](net::EventLoop*) { done = true; });
  EXPECT_TRUE(waiter->closed_by_server());
  EXPECT_TRUE(silent->closed_by_server());
  EXPECT_FALSE(done);
  loop_.RunUntilIdle();
  EXPECT_TRUE(done);
  EXPECT_EQ(loop_.open_streams(), 0u);
}

TEST_F(ServerCoreTest, ShutdownGivesRepliesThatAreDueAGraceTime) {
  options_.shutdown_grace = absl::Milliseconds(500);
  const Peer prompt = Client();
  const Peer stuck = Client();
  for (const Peer& peer : {prompt, stuck}) {
    peer->SetWindow(0);
    Say(peer, "ping 1");
  }
  bool done = false;
  core().Shutdown([&](net::EventLoop*) { done = true; });
  prompt->SetWindow(100);
  loop_.RunUntilIdle();
  EXPECT_EQ(prompt->TakeReceived(), Reply("nonce 1"));
  EXPECT_TRUE(prompt->closed_by_server());
  EXPECT_FALSE(stuck->closed_by_server());
  EXPECT_FALSE(done);
  loop_.AdvanceBy(absl::Milliseconds(500));
  EXPECT_TRUE(stuck->closed_by_server());
  EXPECT_TRUE(done);
}

TEST_F(ServerCoreTest, ShutdownWithoutClientsIsDoneAtOnce) {
  bool done = false;
  core().Shutdown([&](net::EventLoop*) { done = true; });
  loop_.RunUntilIdle();
  EXPECT_TRUE(done);
}

TEST_F(ServerCoreTest, AFullServerDrainsToNothing) {
  std::vector<Peer> peers;
  for (int i = 0; i < 200; ++i) {
    peers.push_back(Client());
    Say(peers.back(), R"(wait "/never")");
  }
  EXPECT_EQ(engine().client_count(), 200u);
  EXPECT_EQ(stats().waiting_clients, 200u);
  for (size_t i = 0; i < peers.size(); ++i) i % 2 == 0 ? peers[i]->EndStream() : peers[i]->Reset();
  loop_.RunUntilIdle();
  EXPECT_EQ(engine().client_count(), 0u);
  EXPECT_EQ(stats().waiting_clients, 0u);
  EXPECT_EQ(stats().connections, 0u);
  EXPECT_EQ(loop_.open_streams(), 0u);
}

}  // namespace
}  // namespace rollcall
