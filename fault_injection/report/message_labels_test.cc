#include "fault_injection/report/message_labels.h"

#include <string>

#include "absl/strings/string_view.h"
#include "fault_injection/net_observer.h"
#include "fault_injection/packet_kind.h"
#include "fault_injection/sim_address.h"
#include "gtest/gtest.h"
#include "store/protocol/dialect.h"
#include "store/protocol/wire_text.h"

namespace rollcall::fault {
namespace {

using protocol::Dialect;

// A connection of "w0" to "server".
class MessageLabelsTest : public testing::Test {
 protected:
  MessageLabelsTest() { Hear(PacketKind::kSyn, /*to_server=*/true, "", /*is_lost=*/false); }

  std::string Hear(PacketKind kind, bool to_server, absl::string_view payload, bool is_lost) {
    return labels_.LabelOf({.from = to_server ? "w0" : "server",
                            .to = to_server ? "server" : "w0",
                            .from_endpoint = to_server ? client_ : server_,
                            .to_endpoint = to_server ? server_ : client_,
                            .kind = kind,
                            .payload = payload,
                            .is_lost = is_lost});
  }
  std::string Request(absl::string_view line) {
    return Hear(PacketKind::kData, true, protocol::RequestBytes(Dialect::kModern, line), false);
  }
  std::string Reply(absl::string_view line, bool is_lost = false) {
    std::string bytes;
    EXPECT_TRUE(protocol::AppendReplyLine(line, bytes).ok()) << line;
    return Hear(PacketKind::kData, false, bytes, is_lost);
  }
  std::string Greet() {
    return Hear(PacketKind::kData, true, protocol::Greeting(Dialect::kModern), false);
  }

  IpEndpoint client_{IpAddress::LoopbackV4(), 40000};
  IpEndpoint server_{IpAddress::LoopbackV4(), 29500};
  MessageLabels labels_;
};

TEST_F(MessageLabelsTest, RequestsAndRepliesAreCalledByName) {
  EXPECT_EQ(Greet(), "greeting");
  EXPECT_EQ(Request(R"(set "/a" "1")"), "set /a");
  EXPECT_EQ(Request(R"(get "/a")"), "get /a");
  EXPECT_EQ(Reply(R"(bytes "one")"), "get: one");
  EXPECT_EQ(Request(R"(add "/n" -7)"), "add /n -7");
  EXPECT_EQ(Reply("number -7"), "add: -7");
  EXPECT_EQ(Request(R"(check "/a" "/b" "/c")"), "check /a /b and 1 more");
  EXPECT_EQ(Reply("signal 1"), "check: not ready");
  EXPECT_EQ(Request(R"(multi_get "/a" "/b")"), "multi_get /a /b");
  EXPECT_EQ(Reply(R"(texts "1" "2")"), "multi_get: 2 texts");
}

TEST_F(MessageLabelsTest, ACancelledWaitHasOneAnswerAndAFinishedOneTwo) {
  Greet();
  Request(R"(wait "/a")");
  Request("cancel_wait");
  EXPECT_EQ(Reply("signal 1"), "wait: cancelled");
  Request(R"(wait "/a")");
  Request("cancel_wait");
  EXPECT_EQ(Reply("signal 0"), "wait: over");
  EXPECT_EQ(Reply("signal 1"), "cancel_wait: cancelled");
  Request("num_keys");
  EXPECT_EQ(Reply("number 3"), "num_keys: 3");
}

TEST_F(MessageLabelsTest, WhatIsLostComesAgain) {
  Greet();
  Request(R"(get "/a")");
  EXPECT_EQ(Reply(R"(bytes "one")", /*is_lost=*/true), "get: one");
  EXPECT_EQ(Reply(R"(bytes "one")"), "get: one");
}

TEST_F(MessageLabelsTest, PiecesAndForeignBytesAreASize) {
  Greet();
  const std::string request = protocol::RequestBytes(Dialect::kModern, R"(set "/long" "value")");
  EXPECT_EQ(Hear(PacketKind::kData, true, request.substr(0, 5), false), "5 bytes");
  EXPECT_EQ(Hear(PacketKind::kData, true, request.substr(5), false), "set /long");
  EXPECT_EQ(Hear(PacketKind::kData, true, "\xFF\xFF", false), "2 bytes");
  EXPECT_EQ(Request(R"(get "/a")").substr(2), " bytes");
  EXPECT_EQ(Hear(PacketKind::kData, false, "x", false), "1 byte");
}

TEST_F(MessageLabelsTest, AReplyThatNobodyAskedForEndsTheReading) {
  Greet();
  EXPECT_EQ(Request(R"(get "/a")"), "get /a");
  EXPECT_EQ(Reply(R"(bytes "1")"), "get: 1");
  // A server never says so much unasked.
  EXPECT_EQ(Reply("number 5"), "8 bytes");
  Request(R"(get "/a")");
  EXPECT_EQ(Reply(R"(bytes "1")"), "9 bytes");
}

TEST_F(MessageLabelsTest, LabelsArePrintableAndShort) {
  Greet();
  EXPECT_EQ(Request(R"(get "/\001\377")"), "get /\\x01\\xff");
  Reply(R"(bytes "")");
  const std::string key(200, 'k');
  EXPECT_LE(Request("multi_get \"" + key + "\" \"" + key + "\" \"" + key + "\"").size(),
            MessageLabels::kLabelBytesMax);
}

TEST_F(MessageLabelsTest, ANewConnectionOnTheSamePortsBeginsAnew) {
  Greet();
  Request(R"(get "/a")");
  Hear(PacketKind::kSyn, true, "", false);
  EXPECT_EQ(Greet(), "greeting");
  EXPECT_EQ(Request("num_keys"), "num_keys");
  EXPECT_EQ(Reply("number 3"), "num_keys: 3");
}

}  // namespace
}  // namespace rollcall::fault
