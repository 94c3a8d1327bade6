// A server on several event loops: what each client hears, wherever it is.
#include "store/server/server_cores.h"

#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "net/event_loop.h"
#include "store/protocol/dialect.h"
#include "store/protocol/wire_text.h"
#include "store/server/core_scenario.h"
#include "store/server/loops_scenario.h"
#include "testing/fake_event_loop.h"

namespace rollcall {
namespace {

using protocol::Dialect;
using Peer = std::shared_ptr<FakePeer>;

class ServerCoresTest : public LoopsScenario {
 protected:
  // Waits for `key` and is known to.
  void BeginWait(const Peer& waiter, absl::string_view key) {
    const size_t waiting_before = stats().waiting_clients;
    EXPECT_EQ(Ask(waiter, absl::StrCat("wait \"", key, "\"")), "");
    EXPECT_EQ(stats().waiting_clients, waiting_before + 1);
  }
};

// --- Who is where ---

TEST_F(ServerCoresTest, ConnectionsAreSpreadEvenlyAndStayEvenAsSomeLeave) {
  std::vector<Peer> peers;
  for (int i = 0; i < 30; ++i) peers.push_back(Client());
  for (size_t i = 0; i < 3; ++i) EXPECT_EQ(loops().loop(i).open_streams(), 10u);
  for (int i = 1; i < 30; i += 3) peers[i]->EndStream();
  loops().Settle();
  EXPECT_EQ(loops().loop(1).open_streams(), 0u);
  for (int i = 0; i < 13; ++i) peers.push_back(Client());
  EXPECT_EQ(loops().loop(0).open_streams(), 11u);
  EXPECT_EQ(loops().loop(1).open_streams(), 11u);
  EXPECT_EQ(loops().loop(2).open_streams(), 11u);
  EXPECT_EQ(stats().connections, 33u);
  EXPECT_EQ(stats().connections_accepted, 43u);
}

TEST_F(ServerCoresTest, ACrowdThatComesAtOnceIsSpreadToo) {
  std::vector<Peer> peers;
  for (int i = 0; i < 300; ++i) peers.push_back(loops().Connect());
  loops().Settle();
  for (size_t i = 0; i < 3; ++i) EXPECT_EQ(loops().loop(i).open_streams(), 100u);
}

TEST_F(ServerCoresTest, ConnectionsMaxHoldsOverAllLoops) {
  options_.connections_max = 4;
  std::vector<Peer> peers;
  for (int i = 0; i < 4; ++i) peers.push_back(Client());
  const Peer one_more = Connect();
  EXPECT_TRUE(one_more->closed_by_server());
  EXPECT_EQ(stats().connections_refused, 1u);
  EXPECT_EQ(stats().connections, 4u);
  // Of another loop than the one that accepts.
  peers[2]->EndStream();
  loops().Settle();
  EXPECT_EQ(Ask(Client(), "ping 1"), Reply("nonce 1"));
  EXPECT_TRUE(Connect()->closed_by_server());
}

TEST_F(ServerCoresTest, TheOldestSilentConnectionOfAllLoopsMakesWay) {
  options_.silent_connections_max = 4;
  std::vector<Peer> peers;
  for (int i = 0; i < 4; ++i) peers.push_back(Connect());
  // The oldest speaks: the next one is on another loop.
  peers[0]->Send(protocol::Greeting(Dialect::kModern));
  loops().Settle();
  peers.push_back(Connect());
  for (const Peer& peer : peers) EXPECT_FALSE(peer->closed_by_server());
  peers.push_back(Connect());
  EXPECT_TRUE(peers[1]->closed_by_server());
  // A crowd in one piece, of which each but the last four makes way.
  for (int i = 0; i < 20; ++i) peers.push_back(loops().Connect());
  loops().Settle();
  EXPECT_EQ(stats().connections, 1u + 4u);
  EXPECT_FALSE(peers[0]->closed_by_server());
  EXPECT_TRUE(peers[5]->closed_by_server());
}

// --- What goes from loop to loop ---

TEST_F(ServerCoresTest, AllLoopsSeeOneStore) {
  const Peer first = Client();
  const Peer second = Client();
  const Peer legacy = Client(Dialect::kLegacy);
  Say(first, R"(set "/k" "v")");
  loops().loop(0).RunUntilIdle();
  EXPECT_EQ(Ask(second, R"(get "/k")"), Reply(R"(bytes "v")"));
  legacy->Send(protocol::RequestBytes(Dialect::kLegacy, R"(get "/k")"));
  loops().Settle();
  EXPECT_EQ(legacy->TakeReceived(), Reply(R"(bytes "v")"));
  EXPECT_EQ(stats().requests, 3u);
  EXPECT_EQ(stats().keys, 1u);
}

TEST_F(ServerCoresTest, OneSetWakesWaitersOfEveryLoopEachOnce) {
  const Peer setter = Client();
  std::vector<Peer> waiters;
  for (int i = 0; i < 60; ++i) {
    waiters.push_back(Client());
    BeginWait(waiters.back(), "/go");
  }
  Say(setter, R"(set "/go" "")");
  loops().loop(0).RunUntilIdle();
  EXPECT_EQ(stats().waiting_clients, 0u);
  const size_t locked_before = loops().times_locked();
  loops().Settle();
  EXPECT_EQ(loops().times_locked(), locked_before + 2) << "one batch for each of the other loops";
  for (const Peer& waiter : waiters) {
    EXPECT_EQ(waiter->TakeReceived(), Reply("signal 0"));
    EXPECT_EQ(waiter->writes(), 1u);
  }
}

TEST_F(ServerCoresTest, ABarrierOpensForMembersOnAllLoops) {
  std::vector<Peer> members;
  for (int i = 0; i < 6; ++i) members.push_back(Client());
  for (int i = 0; i < 5; ++i) EXPECT_EQ(Ask(members[i], R"(barrier "/b" 6)"), "");
  EXPECT_EQ(Ask(members[5], R"(barrier "/b" 6)"), Reply("signal 0"));
  for (int i = 0; i < 5; ++i) EXPECT_EQ(members[i]->TakeReceived(), Reply("signal 0"));
}

TEST_F(ServerCoresTest, WatchersOnOtherLoopsHearAllEventsInOrder) {
  const Peer setter = Client();
  const Peer watcher = Connect();
  watcher->Send(protocol::RequestBytes(Dialect::kLegacy, R"(watch_key "/k")"));
  loops().Settle();
  EXPECT_EQ(watcher->TakeReceived(), Reply("signal 3"));
  // Long enough for a reply of its own to be written from where it is.
  const std::string big(100'000, 'b');
  setter->Send(Request(R"(set "/k" "1")") + Request(absl::StrCat("set \"/k\" \"", big, "\"")));
  loops().loop(0).RunUntilIdle();
  // The value is gone before the other loop looks.
  EXPECT_EQ(Ask(setter, R"(delete_key "/k")"), Reply("number 1"));
  EXPECT_EQ(watcher->TakeReceived(),
            Reply(R"(key_event 1 "/k" "" "1")") +
                Reply(absl::StrCat("key_event 0 \"/k\" \"1\" \"", big, "\"")) +
                Reply(absl::StrCat("key_event 2 \"/k\" \"", big, "\" \"\"")));
}

// The release is on its way and the loop has not heard of it when the waiter gives up.
TEST_F(ServerCoresTest, AReleaseIsToldBeforeTheAnswerToWhatTheWaiterSaysNext) {
  const Peer setter = Client();
  const Peer waiter = Client();
  BeginWait(waiter, "/k");
  loops().SetDeaf(1, true);
  EXPECT_EQ(Ask(setter, R"(add "/k" 1)"), Reply("number 1"));
  EXPECT_EQ(waiter->TakeReceived(), "");
  EXPECT_EQ(Ask(waiter, "cancel_wait"), Reply("signal 0") + Reply("signal 1"));
  loops().SetDeaf(1, false);
  loops().Settle();
  EXPECT_EQ(waiter->TakeReceived(), "");
}

TEST_F(ServerCoresTest, AWaitThatWasCancelledOnOneLoopIsNotReleasedFromAnother) {
  const Peer setter = Client();
  const Peer waiter = Client();
  BeginWait(waiter, "/k");
  EXPECT_EQ(Ask(waiter, "cancel_wait"), Reply("signal 1"));
  EXPECT_EQ(Ask(setter, R"(add "/k" 1)"), Reply("number 1"));
  EXPECT_EQ(waiter->TakeReceived(), "");
}

TEST_F(ServerCoresTest, ALoopThatTakesOneClientsLateReplyTakesThoseOfAllItsClients) {
  const Peer setter = Client();
  const Peer waiter = Client();
  Client();
  Client();
  const Peer neighbour = Client();
  BeginWait(waiter, "/k");
  loops().SetDeaf(1, true);
  EXPECT_EQ(Ask(setter, R"(add "/k" 1)"), Reply("number 1"));
  // The end of one connection is a batch too.
  EXPECT_EQ(Ask(neighbour, "ping 1"), Reply("nonce 1"));
  EXPECT_EQ(waiter->TakeReceived(), Reply("signal 0"));
  BeginWait(waiter, "/l");
  EXPECT_EQ(Ask(setter, R"(add "/l" 1)"), Reply("number 1"));
  neighbour->EndStream();
  loops().Settle();
  EXPECT_EQ(waiter->TakeReceived(), Reply("signal 0"));
}

TEST_F(ServerCoresTest, AnElementIsForOneWaiterWhereverTheyAre) {
  const Peer pusher = Client();
  const Peer first = Client();
  const Peer second = Client();
  BeginWait(first, "/q");
  BeginWait(second, "/q");
  EXPECT_EQ(Ask(pusher, R"(queue_push "/q" "1")"), "");
  EXPECT_EQ(first->TakeReceived(), Reply("signal 0"));
  EXPECT_EQ(second->TakeReceived(), "");
  EXPECT_EQ(Ask(first, R"(queue_pop "/q")"), Reply(R"(popped 1 "1")"));
  EXPECT_EQ(Ask(pusher, R"(queue_push "/q" "2")"), "");
  EXPECT_EQ(second->TakeReceived(), Reply("signal 0"));
}

TEST_F(ServerCoresTest, AWaiterThatHasLeftItsLoopHurtsNobody) {
  const Peer setter = Client();
  const Peer gone = Client();
  const Peer alive = Client();
  BeginWait(gone, "/k");
  BeginWait(alive, "/k");
  loops().SetDeaf(1, true);
  EXPECT_EQ(Ask(setter, R"(add "/k" 1)"), Reply("number 1"));
  gone->Reset();
  loops().Settle();
  loops().SetDeaf(1, false);
  loops().Settle();
  EXPECT_EQ(alive->TakeReceived(), Reply("signal 0"));
  EXPECT_EQ(loops().engine().client_count(), 2u);
  EXPECT_EQ(stats().connections, 2u);
}

// --- Large and slow ---

TEST_F(ServerCoresTest, NobodyHoldsTheEngineForAsLongAsItLikes) {
  const Peer client = Client();
  loops().Settle();
  const size_t locked_before = loops().times_locked();
  client->Send(Repeated(Request("ping 1"), 2560));
  loops().Settle();
  EXPECT_EQ(client->TakeReceived(), Repeated(Reply("nonce 1"), 2560));
  EXPECT_EQ(loops().times_locked(), locked_before + 10);
}

TEST_F(ServerCoresTest, ALargeReplyKeepsItsPlaceAndItsBytes) {
  const std::string value(100'000, 'v');
  const Peer client = Client();
  client->Send(Request(absl::StrCat("set \"/k\" \"", value, "\"")));
  client->Send(Request(R"(add "/n" 1)") + Request(R"(get "/k")") + Request(R"(set "/k" "other")") +
               Request(R"(get "/k")"));
  loops().Settle();
  EXPECT_EQ(
      client->TakeReceived(),
      Reply("number 1") + Reply(absl::StrCat("bytes \"", value, "\"")) + Reply(R"(bytes "other")"));
}

TEST_F(ServerCoresTest, ASlowReaderIsNotReadFromUntilItHasTakenItsReplies) {
  options_.unsent_bytes_soft_max = 100'000;
  const Peer slow = Client();
  const std::string value(50'000, 'v');
  EXPECT_EQ(Ask(slow, absl::StrCat("set \"/k\" \"", value, "\"")), "");
  slow->SetWindow(0);
  slow->Send(Repeated(Request(R"(get "/k")"), 100));
  loops().Settle();
  EXPECT_FALSE(slow->read_from());
  EXPECT_LT(stats().requests, 10u);
  slow->SetWindow(100'000'000);
  loops().Settle();
  EXPECT_EQ(slow->TakeReceived(), Repeated(Reply(absl::StrCat("bytes \"", value, "\"")), 100));
  EXPECT_TRUE(slow->read_from());
}

TEST_F(ServerCoresTest, AWatcherThatReadsNothingIsClosedAtTheHardLimit) {
  options_.unsent_bytes_soft_max = 1000;
  options_.unsent_bytes_hard_max = 10'000;
  const Peer setter = Client();
  const Peer watcher = Connect();
  watcher->Send(protocol::RequestBytes(Dialect::kLegacy, R"(watch_key "/k")"));
  loops().Settle();
  watcher->SetWindow(0);
  const std::string set = Request(absl::StrCat("set \"/k\" \"", std::string(900, 'v'), "\""));
  setter->Send(Repeated(set, 10) + Request("ping 1"));
  loops().Settle();
  EXPECT_EQ(setter->TakeReceived(), Reply("nonce 1"));
  EXPECT_TRUE(watcher->closed_by_server());
  EXPECT_EQ(loops().engine().client_count(), 1u);
  EXPECT_EQ(stats().connections_refused, 1u);
}

// --- The end ---

TEST_F(ServerCoresTest, ShutdownSendsWhatOtherLoopsClientsAreDue) {
  const Peer setter = Client();
  const Peer waiter = Client();
  const Peer never = Client();
  BeginWait(waiter, "/k");
  BeginWait(never, "/never");
  loops().SetDeaf(1, true);
  EXPECT_EQ(Ask(setter, R"(add "/k" 1)"), Reply("number 1"));
  size_t done = 0;
  loops().cores().Shutdown([&](net::EventLoop*) { ++done; });
  loops().Settle();
  EXPECT_EQ(done, 3u);
  EXPECT_EQ(waiter->TakeReceived(), Reply("signal 0"));
  EXPECT_EQ(never->TakeReceived(), "");
  for (const Peer& peer : {setter, waiter, never}) EXPECT_TRUE(peer->closed_by_server());
  for (size_t i = 0; i < 3; ++i) EXPECT_EQ(loops().loop(i).open_streams(), 0u);
}

TEST_F(ServerCoresTest, ShutdownClosesWhoIsOnTheWayToItsLoop) {
  std::vector<Peer> peers;
  for (int i = 0; i < 30; ++i) peers.push_back(loops().Connect());
  loops().loop(0).RunUntilIdle();
  size_t done = 0;
  loops().cores().Shutdown([&](net::EventLoop*) { ++done; });
  loops().Settle();
  EXPECT_EQ(done, 3u);
  for (const Peer& peer : peers) EXPECT_TRUE(peer->closed_by_server());
  EXPECT_EQ(stats().connections, 0u);
}

TEST_F(ServerCoresTest, AFullServerDrainsToNothing) {
  std::vector<Peer> peers;
  for (int i = 0; i < 200; ++i) {
    peers.push_back(Client());
    Say(peers.back(), R"(wait "/never")");
  }
  loops().Settle();
  EXPECT_EQ(stats().waiting_clients, 200u);
  for (size_t i = 0; i < peers.size(); ++i) i % 2 == 0 ? peers[i]->EndStream() : peers[i]->Reset();
  loops().Settle();
  EXPECT_EQ(loops().engine().client_count(), 0u);
  EXPECT_EQ(stats().waiting_clients, 0u);
  EXPECT_EQ(stats().connections, 0u);
}

}  // namespace
}  // namespace rollcall
