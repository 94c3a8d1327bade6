// Single frames and bytes: sliced, cut short, changed, repeated, gathered.
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "fault_injection/proxy/fault_proxy.h"
#include "fault_injection/proxy/fault_proxy_fixture.h"
#include "gtest/gtest.h"
#include "net/net_error.h"
#include "store/error_code.h"
#include "store/tcp_store.h"
#include "testing/dist_error_matchers.h"

namespace rollcall::fault {
namespace {

INSTANTIATE_TEST_SUITE_P(Rungs, FaultProxyTest, testing::Values(Rung::kSimulated, Rung::kReal),
                         RungName);

using Keys = std::vector<std::string>;

TEST_P(FaultProxyTest, EverythingWorksByteByByte) {
  StartBoth();
  proxy_->Slice("w", Direction::kToServer, 1);
  proxy_->Slice("w", Direction::kToClient, 1);
  const auto store = NewClient();
  store->Set("k", "value");
  EXPECT_EQ(store->Get("k"), "value");
  EXPECT_EQ(store->Add("n", 2), 2);
  const RouteStats stats = proxy_->stats("w");
  EXPECT_EQ(stats.to_server.sliced, stats.to_server.bytes);
  EXPECT_EQ(stats.to_client.sliced, stats.to_client.bytes);
}

TEST_P(FaultProxyTest, SlicesComeWithAPauseAfterEach) {
  StartBoth();
  const auto store = NewClient();
  proxy_->Slice("w", Direction::kToClient, 2, absl::Milliseconds(5));
  const absl::Time begin = Now();
  store->Add("n", 1);  // Its reply has eight bytes: four slices, three pauses between them.
  ExpectTook(begin, absl::Milliseconds(15));
  EXPECT_EQ(proxy_->stats("w").to_client.sliced, 4);
}

// --- Truncation ---

TEST_P(FaultProxyTest, ARequestThatIsCutShortIsNotDone) {
  for (const Ending ending : {Ending::kFin, Ending::kReset, Ending::kStall}) {
    StartBoth();
    const auto store = NewClient();
    // All but its last byte.
    const std::string value = "value";
    proxy_->Truncate("w", Direction::kToServer, {.frame = 1, .byte = 1 + 8 + 2 + 8 + 4}, ending);
    store->Set("k", value);
    Until([&] { return proxy_->stats("w").to_server.truncated == 1; });
    store->SetTimeout(kShort);
    EXPECT_DIST_ERROR(store->Add("n", 1), ending == Ending::kStall ? ErrorCode::kReplyTimeout
                                                                   : ErrorCode::kConnectionLost);
    EXPECT_FALSE(NewDirectClient()->Check(Keys{"k"}));
    EXPECT_FALSE(NewDirectClient()->Check(Keys{"n"}));
    proxy_.reset();
    server_.reset();
  }
}

TEST_P(FaultProxyTest, AReplyThatIsCutShortIsNoReply) {
  for (const Ending ending : {Ending::kFin, Ending::kReset, Ending::kStall}) {
    StartBoth();
    const auto store = NewClient();
    proxy_->Truncate("w", Direction::kToClient, {.frame = 2, .byte = 3}, ending);
    EXPECT_EQ(store->Add("n", 1), 1);
    store->SetTimeout(kShort);
    EXPECT_DIST_ERROR(store->Add("n", 1), ending == Ending::kStall ? ErrorCode::kReplyTimeout
                                                                   : ErrorCode::kConnectionLost);
    EXPECT_EQ(proxy_->stats("w").to_client.truncated, 1);
    // The next connection is whole.
    store->SetTimeout(kLong);
    EXPECT_EQ(store->Add("n", 1), 3);
    proxy_.reset();
    server_.reset();
  }
}

TEST_P(FaultProxyTest, BytesAreCountedFromTheMomentTheFaultIsSet) {
  auto [client, server] = ConnectAcross();
  ASSERT_TRUE(client->Write("before", Now() + kLong).ok());
  EXPECT_EQ(Read(*server, 6), "before");
  proxy_->Truncate("w", Direction::kToServer, {.byte = 4}, Ending::kFin);
  ASSERT_TRUE(client->Write("afterwards", Now() + kLong).ok());
  EXPECT_EQ(Read(*server, 10), "afte");
  EXPECT_EQ(EndOf(*server), net::NetErrorKind::kClosedByPeer);
}

// --- Corruption ---

TEST_P(FaultProxyTest, AChangedByteOfAValueIsStored) {
  StartBoth();
  const auto store = NewClient();
  proxy_->Corrupt("w", Direction::kToServer, {.frame = 1, .byte = 1 + 8 + 2 + 8}, 0x20);
  store->Set("k", "value");
  EXPECT_EQ(store->Get("k"), "Value");
  EXPECT_EQ(proxy_->stats("w").to_server.corrupted, 1);
}

TEST_P(FaultProxyTest, AChangedOpcodeEndsTheConnection) {
  StartBoth();
  const auto store = NewClient();
  proxy_->Corrupt("w", Direction::kToServer, {.frame = 1, .byte = 0}, 0xF0);
  EXPECT_DIST_ERROR(store->Add("n", 1), ErrorCode::kConnectionLost);
}

TEST_P(FaultProxyTest, AChangedReplyIsWhatTheClientSees) {
  StartBoth();
  const auto store = NewClient();
  proxy_->Corrupt("w", Direction::kToClient, {.frame = 2, .byte = 1}, 0x01);
  EXPECT_EQ(store->Add("n", 1), 1);
  EXPECT_EQ(store->Add("n", 1), 2 + 256);
  EXPECT_EQ(store->Add("n", 1), 3);
  EXPECT_EQ(proxy_->stats("w").to_client.corrupted, 1);
}

TEST_P(FaultProxyTest, AFrameWithoutSuchAByteStaysAsItIs) {
  StartBoth();
  const auto store = NewClient();
  proxy_->Corrupt("w", Direction::kToClient, {.frame = 1, .byte = 8}, 0x01);
  EXPECT_EQ(store->Add("n", 1), 1);
  EXPECT_EQ(store->Add("n", 1), 2);
  EXPECT_EQ(proxy_->stats("w").to_client.corrupted, 0);
}

// --- More and fewer ---

TEST_P(FaultProxyTest, ARequestThatIsRepeatedIsDoneTwice) {
  StartBoth();
  const auto store = NewClient();
  proxy_->DuplicateFrame("w", Direction::kToServer, 2);
  store->Append("k", "a");
  store->Append("k", "b");
  store->Append("k", "c");
  EXPECT_EQ(store->Get("k"), "abbc");
  EXPECT_EQ(proxy_->stats("w").to_server.duplicated, 1);
}

TEST_P(FaultProxyTest, AReplyThatIsRepeatedPutsTheClientOutOfStep) {
  StartBoth();
  const auto store = NewClient();
  proxy_->DuplicateFrame("w", Direction::kToClient, 1);
  EXPECT_EQ(store->Add("n", 1), 1);
  EXPECT_EQ(store->Add("n", 1), 1);
  // Which is not the answer to this one: it comes when it comes.
  const auto direct = NewDirectClient();
  Until([&] { return direct->Get("n") == "2"; });
}

TEST_P(FaultProxyTest, GatheredFramesArriveTogether) {
  StartBoth();
  const auto store = NewClient();
  const auto direct = NewDirectClient();
  const int64_t before = proxy_->stats("w").to_server.frames;
  proxy_->Coalesce("w", Direction::kToServer, 3);
  store->Set("a", "1");
  store->Set("b", "2");
  Until([&] { return proxy_->stats("w").to_server.frames == before + 2; });
  EXPECT_FALSE(direct->Check(Keys{"a"}));
  store->Set("c", "3");
  direct->Wait(Keys{"a", "b", "c"});
  EXPECT_EQ(proxy_->stats("w").to_server.coalesced, 1);
  store->Set("d", "4");
  Until([&] { return proxy_->stats("w").to_server.frames == before + 4; });
  EXPECT_FALSE(direct->Check(Keys{"d"}));
  proxy_->Coalesce("w", Direction::kToServer, 0);
  direct->Wait(Keys{"d"});
}

TEST_P(FaultProxyTest, GatheredFramesAreSentWhenTheSenderEnds) {
  StartBoth();
  const auto direct = NewDirectClient();
  {
    const auto store = NewClient();
    proxy_->Coalesce("w", Direction::kToServer, 10);
    store->Set("last", "words");
  }
  direct->Wait(Keys{"last"});
}

TEST_P(FaultProxyTest, AFaultFindsTheFramesOfAConnectionThatIsOlder) {
  StartBoth();
  const auto store = NewClient();
  for (int i = 0; i < 10; ++i) store->Set("k", "v");
  EXPECT_EQ(store->Get("k"), "v");  // They are through.
  // A value of this length is read in several pieces.
  const std::string large(600'000, 'x');
  proxy_->Corrupt("w", Direction::kToServer, {.frame = 2, .byte = 1 + 8 + 2 + 8 + 599'999}, 0x01);
  store->Set("a", large);
  store->Set("b", large);
  EXPECT_EQ(store->Get("a"), large);
  EXPECT_EQ(store->Get("b"), std::string(599'999, 'x') + "y");
}

}  // namespace
}  // namespace rollcall::fault
