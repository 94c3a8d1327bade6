// --max_memory holds for what is on its way too, whatever clients take or send how slowly.
#include "store/server/transfer_memory.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "gtest/gtest.h"
#include "store/protocol/features.h"
#include "store/server/core_scenario.h"
#include "store/server/incident.h"
#include "store/server/loops_scenario.h"
#include "store/server/server_snapshot.h"

namespace rollcall {
namespace {

constexpr size_t kMax = 1'000'000;

std::string SetOf(absl::string_view key, size_t value_bytes) {
  return Request(absl::StrCat("set \"", key, "\" \"", std::string(value_bytes, 'v'), "\""));
}

TEST(LoopTransfersTest, AreForgottenWithTheirLoop) {
  TransferMemory memory(kMax);
  {
    LoopTransfers loop(&memory);
    loop.SetRequests(1, 300);
    loop.SetReplies(1, 50);
    loop.SetReplies(2, 100);
    loop.SetRequests(1, 200);
    EXPECT_EQ(memory.bytes(), 350u);
    EXPECT_EQ(loop.FurthestBehind(), 2u);
    loop.Forget(2);
    EXPECT_EQ(loop.FurthestBehind(), 1u);
    EXPECT_EQ(memory.bytes(), 250u);
  }
  EXPECT_EQ(memory.bytes(), 0u);
}

class TransferMemoryTest : public CoreScenario {
 protected:
  TransferMemoryTest() { options_.store_limits.memory_bytes_max = kMax; }

  size_t OnTheirWay() { return Snapshot().transfer_bytes; }
  size_t Sum() { return OnTheirWay() + engine().memory_bytes(); }
  uint64_t Counted(IncidentKind kind) {
    return Snapshot().metrics.incidents[static_cast<size_t>(kind)];
  }
  // One that greets as ours do, and is told why it is hung up on.
  Peer OurClient() {
    Peer peer = Client();
    Say(peer, absl::StrCat("ping ", protocol::AskFeaturesAs(std::nullopt)));
    peer->TakeReceived();
    return peer;
  }
};

TEST_F(TransferMemoryTest, RequestsAndRepliesInOneGoAreNotCounted) {
  const Peer client = Client();
  Send(client, SetOf("/k", 200'000));
  EXPECT_EQ(Ask(client, R"(get "/k")").size(), 200'008u);
  EXPECT_EQ(OnTheirWay(), 0u);
}

TEST_F(TransferMemoryTest, ValuesThatAreHalfSentKeepToTheLimitAndComeBack) {
  const Peer owner = Client();
  Send(owner, SetOf("/kept", 100'000));
  const std::string request = SetOf("/big", 300'000);
  std::vector<Peer> senders;
  for (int i = 0; i < 10; ++i) {
    senders.push_back(Client());
    Send(senders.back(), request.substr(0, 200'000));
    EXPECT_LE(Sum(), kMax);
  }
  // Each was told as soon as the value could not come whole, and not after it had.
  EXPECT_EQ(Counted(IncidentKind::kStoreFull), 7u);
  EXPECT_GE(OnTheirWay(), 600'000u);
  EXPECT_EQ(Ask(owner, R"(get "/kept")").size(), 100'008u);
  for (const Peer& sender : senders) sender->EndStream();
  loop_.RunUntilIdle();
  EXPECT_EQ(OnTheirWay(), 0u);
  const Peer next = Client();
  for (size_t at = 0; at < request.size(); at += 50'000) Send(next, request.substr(at, 50'000));
  EXPECT_EQ(engine().ValueOf("/big")->size(), 300'000u);
  EXPECT_EQ(OnTheirWay(), 0u);
}

TEST_F(TransferMemoryTest, WhatIsHalfSentLeavesLessRoomForWhatIsStored) {
  const Peer sender = Client();
  Send(sender, SetOf("/big", 900'000).substr(0, 700'000));
  const Peer other = Client();
  Send(other, SetOf("/k", 400'000));
  EXPECT_TRUE(other->closed_by_server());
  EXPECT_NE(Snapshot().incidents.back().reason.find("on their way"), std::string::npos);
  EXPECT_EQ(engine().key_count(), 0u);
}

TEST_F(TransferMemoryTest, OursReadsWhyWhileItStillSends) {
  const Peer ours = OurClient();
  const std::string request = SetOf("/big", 2'000'000);
  Send(ours, request.substr(0, 50'000));
  EXPECT_EQ(Counted(IncidentKind::kStoreFull), 1u);
  EXPECT_NE(ours->TakeReceived().find("STORE_FULL"), std::string::npos);
  EXPECT_FALSE(ours->closed_by_server()) << "it would find its connection broken instead";
  Send(ours, request.substr(50'000));
  EXPECT_EQ(OnTheirWay(), 0u) << "nobody keeps what comes now";
  EXPECT_EQ(engine().key_count(), 0u);
  ours->EndStream();
  loop_.RunUntilIdle();
  EXPECT_EQ(loop_.open_streams(), 0u);

  const Peer staying = OurClient();
  Send(staying, request.substr(0, 50'000));
  loop_.AdvanceBy(options_.half_request_timeout);
  EXPECT_TRUE(staying->closed_by_server());
  EXPECT_EQ(Counted(IncidentKind::kTooSlow), 0u);
}

TEST_F(TransferMemoryTest, SlowReadersCostTheOneFurthestBehindItsConnection) {
  const Peer owner = Client();
  Send(owner, SetOf("/big", 300'000));
  Send(owner, SetOf("/small", 10'000));
  std::vector<Peer> readers;
  for (int i = 0; i < 3; ++i) {
    readers.push_back(Client());
    readers.back()->SetWindow(0);
    Say(readers.back(), R"(get "/big")");
  }
  EXPECT_EQ(Counted(IncidentKind::kTooSlow), 0u) << "a quarter more is theirs";
  const Peer modest = Client();
  modest->SetWindow(0);
  for (int i = 0; i < 10; ++i) Say(modest, R"(get "/small")");
  EXPECT_FALSE(modest->closed_by_server());
  EXPECT_EQ(Counted(IncidentKind::kTooSlow), 1u);
  EXPECT_TRUE(readers.back()->closed_by_server());
  EXPECT_LE(Sum(), kMax + kMax / 4);
  EXPECT_NE(Snapshot().incidents.back().reason.find("300008 bytes of replies"), std::string::npos);

  readers[0]->SetWindow(1'000'000);
  loop_.RunUntilIdle();
  EXPECT_EQ(readers[0]->TakeReceived().size(), 300'008u);
  readers[1]->EndStream();
  modest->Reset();
  loop_.RunUntilIdle();
  loop_.AdvanceBy(options_.half_request_timeout);
  EXPECT_EQ(OnTheirWay(), 0u);
}

TEST_F(TransferMemoryTest, AStoreThatIsFullCanBeRead) {
  const Peer owner = Client();
  Send(owner, SetOf("/big", 999'000));
  const Peer reader = Client();
  const std::string asks =
      Request(absl::StrCat("check \"/", std::string(8'000, 'k'), "\" \"/big\""));
  Send(reader, asks.substr(0, 7'000));
  EXPECT_GE(OnTheirWay(), 6'900u);
  Send(reader, asks.substr(7'000));
  EXPECT_NE(reader->TakeReceived(), "");
  EXPECT_EQ(Ask(reader, R"(get "/big")").size(), 999'008u);
  Say(owner, R"(delete_key "/big")");
  EXPECT_EQ(engine().key_count(), 0u);
}

// Against a model that knows nothing but what it has sent: whatever clients do, the sum stays
// within its bound, what was acknowledged is there, and all comes back.
TEST_F(TransferMemoryTest, WhateverClientsDoTheBoundHoldsAndNothingIsLost) {
  for (uint32_t seed = 1; seed <= 8; ++seed) {
    SCOPED_TRACE(seed);
    std::mt19937 random(seed);
    const auto upto = [&](size_t most) { return static_cast<size_t>(random() % (most + 1)); };
    const Peer owner = Client();
    EXPECT_EQ(Ask(owner, R"(add "/counter" 1)"), Reply(absl::StrCat("number ", seed)));
    struct Slow {
      Peer peer;
      std::string unsaid;
    };
    std::vector<Slow> clients;
    for (int step = 0; step < 200; ++step) {
      if (clients.size() < 12) {
        clients.push_back({.peer = upto(1) == 0 ? Client() : OurClient(), .unsaid = {}});
        clients.back().peer->SetWindow(upto(100'000));
      }
      Slow& slow = clients[upto(clients.size() - 1)];
      if (slow.unsaid.empty()) {
        slow.unsaid = upto(2) == 0 ? SetOf(absl::StrCat("/", upto(5)), upto(400'000))
                                   : Request(absl::StrCat("get \"/", upto(5), "\""));
      }
      const size_t size = std::min(slow.unsaid.size(), upto(100'000));
      Send(slow.peer, slow.unsaid.substr(0, size));
      slow.unsaid.erase(0, size);
      if (upto(9) == 0) slow.peer->SetWindow(upto(200'000));
      loop_.RunUntilIdle();
      EXPECT_LE(Sum(), kMax + kMax / 4);
      if (slow.peer->closed_by_server() || upto(30) == 0) {
        slow.peer->EndStream();
        clients.erase(clients.begin() + (&slow - clients.data()));
      }
    }
    for (const Slow& slow : clients) slow.peer->Reset();
    loop_.RunUntilIdle();
    loop_.AdvanceBy(options_.half_request_timeout);
    EXPECT_EQ(OnTheirWay(), 0u);
    EXPECT_EQ(loop_.open_streams(), static_cast<size_t>(seed));
  }
  EXPECT_GT(Counted(IncidentKind::kStoreFull), 0u);
  EXPECT_GT(Counted(IncidentKind::kTooSlow), 0u);
}

class TransferMemoryOfLoopsTest : public LoopsScenario {};

TEST_F(TransferMemoryOfLoopsTest, TheLimitIsOneForAllLoops) {
  options_.store_limits.memory_bytes_max = kMax;
  const std::string request = SetOf("/big", 400'000);
  std::vector<std::shared_ptr<FakePeer>> senders;
  for (int i = 0; i < 6; ++i) {
    senders.push_back(Client());
    senders.back()->Send(request.substr(0, 300'000));
    loops().Settle();
  }
  EXPECT_EQ(stats().connections_refused, 4u);
  const auto writer = Client();
  writer->Send(SetOf("/k", 450'000));
  loops().Settle();
  EXPECT_TRUE(writer->closed_by_server());
  for (const auto& sender : senders) sender->EndStream();
  loops().Settle();
  const auto again = Client();
  again->Send(SetOf("/k", 900'000));
  EXPECT_EQ(Ask(again, R"(get "/k")").size(), 900'008u);
}

}  // namespace
}  // namespace rollcall
