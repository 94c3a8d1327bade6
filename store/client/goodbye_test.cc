// A server that says why before it hangs up, wherever a reply would be.
#include "store/protocol/goodbye.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "net/real_env.h"
#include "store/client/call.h"
#include "store/client/channel.h"
#include "store/client/fake_server.h"
#include "store/dist_error.h"
#include "store/error_code.h"
#include "store/protocol/features.h"
#include "store/protocol/reply.h"

namespace rollcall::client {
namespace {

using protocol::ReplyKind;
using testing::HasSubstr;

std::string Goodbye(absl::string_view code = "STORE_FULL", absl::string_view text = "no room") {
  std::string bytes;
  protocol::AppendGoodbye(code, text, bytes);
  return bytes;
}

class GoodbyeTest : public testing::Test {
 protected:
  // The server says `bytes`, in pieces of so many, and hangs up.
  void ServerSays(std::string bytes, uint32_t features = protocol::kSaysGoodbye,
                  size_t piece_bytes = 1000) {
    server_ = std::make_unique<FakeServer>(env_, [bytes, piece_bytes](FakePeer& peer) {
      for (size_t i = 0; i < bytes.size(); i += piece_bytes) {
        peer.Write(absl::string_view(bytes).substr(i, piece_bytes));
      }
    });
    auto connection = env_.ConnectAny({net::SocketAddress::LoopbackV4(server_->port())}, Soon());
    channel_ = std::make_unique<Channel>(*std::move(connection), features);
  }

  absl::Time Soon() { return env_.Now() + absl::Seconds(10); }
  absl::Status Receive(ReplyKind kind) { return channel_->Receive(kind, 1, Soon()).status(); }

  void ExpectStoreFull(const absl::Status& status) {
    EXPECT_EQ(CodeOf(status), ErrorCode::kStoreFull) << status;
    EXPECT_THAT(std::string(status.message()), HasSubstr("no room"));
    EXPECT_FALSE(channel_->in_step());
  }

  net::Env& env_ = net::RealEnv();
  std::unique_ptr<FakeServer> server_;
  std::unique_ptr<Channel> channel_;
};

TEST_F(GoodbyeTest, IsHeardInThePlaceOfEveryKindOfReply) {
  for (const ReplyKind kind :
       {ReplyKind::kSignal, ReplyKind::kNumber, ReplyKind::kNonce, ReplyKind::kBytes,
        ReplyKind::kTexts, ReplyKind::kList, ReplyKind::kPopped}) {
    for (const size_t piece_bytes : {1, 3, 8, 1000}) {
      ServerSays(Goodbye(), protocol::kSaysGoodbye, piece_bytes);
      ExpectStoreFull(Receive(kind));
    }
  }
}

TEST_F(GoodbyeTest, IsHeardByAWait) {
  ServerSays(Goodbye());
  ExpectStoreFull(channel_->ReceiveSignal(Soon()).status());
}

TEST_F(GoodbyeTest, IsHeardBehindWhatIsOwed) {
  ServerSays(std::string(1, protocol::kWaitCanceled) + Goodbye());
  channel_->OweCancelAnswer();
  ExpectStoreFull(Receive(ReplyKind::kNumber));
  ServerSays(Goodbye());
  channel_->OweText();
  ExpectStoreFull(channel_->ReceiveOwedText(Soon()).status());
}

TEST_F(GoodbyeTest, IsHeardByWhoFindsThatItCannotSend) {
  ServerSays(Goodbye());
  server_->Finish();
  // The first may still be taken by the kernel.
  absl::Status sent;
  for (int i = 0; i < 1000 && sent.ok(); ++i) sent = channel_->Send("request", Soon());
  ExpectStoreFull(sent);
}

TEST_F(GoodbyeTest, WhatOnlyBeginsAsOneIsAReply) {
  const std::string number = "\xFEgoodbyE";
  ServerSays(number + number, protocol::kSaysGoodbye, /*piece_bytes=*/3);
  for (int i = 0; i < 2; ++i) {
    const auto reply = channel_->Receive(ReplyKind::kNumber, 0, Soon());
    ASSERT_TRUE(reply.ok()) << reply.status();
    EXPECT_EQ(reply->number, int64_t{0x4579'6264'6F6F'67FE});
  }
  EXPECT_TRUE(channel_->in_step());
}

TEST_F(GoodbyeTest, AServerThatSaysNoneMayAnswerWithItsNumber) {
  ServerSays(std::string(protocol::kGoodbyeMark), /*features=*/0);
  const auto reply = channel_->Receive(ReplyKind::kNumber, 0, Soon());
  ASSERT_TRUE(reply.ok()) << reply.status();
  EXPECT_EQ(reply->number, static_cast<int64_t>(protocol::kGoodbyeNumber));
}

TEST_F(GoodbyeTest, OneThatIsCutOffIsALostConnection) {
  const std::string goodbye = Goodbye();
  for (size_t size = 0; size < goodbye.size(); ++size) {
    ServerSays(goodbye.substr(0, size));
    EXPECT_TRUE(IsHangUp(Receive(ReplyKind::kNumber))) << size;
    EXPECT_FALSE(channel_->in_step());
  }
}

TEST_F(GoodbyeTest, AReasonThatThisClientDoesNotKnowIsALostConnectionInTheServersWords) {
  ServerSays(Goodbye("TOO_WET", "it rains\n"));
  const absl::Status status = Receive(ReplyKind::kNumber);
  EXPECT_EQ(CodeOf(status), ErrorCode::kConnectionLost);
  EXPECT_THAT(std::string(status.message()), HasSubstr("TOO_WET: it rains\\n"));
}

TEST_F(GoodbyeTest, ALengthBeyondAllMeasureIsNotBelieved) {
  ServerSays(std::string(protocol::kGoodbyeMark) + std::string(8, '\x7F'));
  EXPECT_EQ(CodeOf(Receive(ReplyKind::kNumber)), ErrorCode::kProtocol);
}

}  // namespace
}  // namespace rollcall::client
