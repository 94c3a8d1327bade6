// TcpStore against servers that do what no store should, and against others that are no store.
#include <memory>
#include <string>
#include <utility>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "net/real_env.h"
#include "store/client/fake_server.h"
#include "store/dist_error.h"
#include "store/raw_requests.h"
#include "store/tcp_store.h"
#include "testing/dist_error_matchers.h"

namespace rollcall {
namespace {

using client::FakePeer;
using client::FakeServer;
using raw::Bytes;
using raw::kAddOneToN;
using raw::kGetK;
using raw::kSetAToOne;
using raw::kSeven;
using testing::AllOf;
using testing::HasSubstr;

constexpr absl::Duration kShort = absl::Milliseconds(100);

const std::string kWaitForK = Bytes("06010000000000000002000000000000002f6b");
const std::string kCancel = Bytes("0c");
const std::string kStop = Bytes("00");
const std::string kCanceled = Bytes("01");

class TcpStoreFaults : public testing::Test {
 protected:
  std::unique_ptr<TcpStore> Connect(const FakeServer& server,
                                    absl::Duration timeout = absl::Seconds(10)) {
    return raw::Connect(env_, server, timeout);
  }

  net::Env& env_ = net::RealEnv();
};

// --- The greeting ---

TEST_F(TcpStoreFaults, GreetsWithExactlyTheTenBytesOfTorch) {
  FakeServer server(env_, [](FakePeer& peer) {
    peer.Expect(Bytes("00cef7853c0d"));
    peer.Write(peer.Read(4));
    EXPECT_EQ(peer.ReadToEnd(), "");
  });
  Connect(server);
}

TEST_F(TcpStoreFaults, TakesAGreetingsAnswerInPieces) {
  FakeServer server(env_, [](FakePeer& peer) {
    const std::string greeting = peer.Read(10);
    for (const char byte : greeting.substr(6)) peer.Write(absl::string_view(&byte, 1));
    peer.ReadToEnd();
  });
  Connect(server);
}

TEST_F(TcpStoreFaults, AGreetingThatIsCutOffIsTriedAgain) {
  const auto hang_up = [](FakePeer& peer) { peer.Read(1); };
  FakeServer server(env_, hang_up, hang_up, [](FakePeer& peer) {
    peer.Greet();
    peer.ReadToEnd();
  });
  Connect(server);
}

TEST_F(TcpStoreFaults, AWrongAnswerIsTriedAgain) {
  FakeServer server(
      env_,
      [](FakePeer& peer) {
        peer.Read(10);
        peer.Write("HTTP/1.1 400 Bad Request\r\n");
      },
      [](FakePeer& peer) {
        peer.Greet();
        peer.ReadToEnd();
      });
  Connect(server);
}

TEST_F(TcpStoreFaults, WhoNeverAnswersTheGreetingIsNoStore) {
  FakeServer server(env_, [](FakePeer& peer) { peer.ReadToEnd(); });
  const absl::Time start = env_.Now();
  const auto error = DistErrorOf([&] { Connect(server, kShort); });
  EXPECT_GE(env_.Now() - start, kShort);
  ASSERT_TRUE(error.has_value());
  EXPECT_EQ(error->code(), ErrorCode::kNotAStore);
  EXPECT_THAT(error->what(), AllOf(HasSubstr("The client socket has timed out after 100ms"),
                                   HasSubstr("does not answer a store's greeting")));
}

TEST_F(TcpStoreFaults, WhoAnswersSomethingElseIsNoStoreAndIsShown) {
  // Nobody comes to accept a second attempt: it ends with the deadline.
  FakeServer server(env_, [](FakePeer& peer) {
    peer.Read(10);
    peer.Write("SSH-2.0-OpenSSH_9.2\r\n");
    peer.ReadToEnd();
  });
  const auto error = DistErrorOf([&] { Connect(server, absl::Milliseconds(40)); });
  ASSERT_TRUE(error.has_value());
  EXPECT_EQ(error->code(), ErrorCode::kNotAStore) << error->what();
}

// --- Waits ---

TEST_F(TcpStoreFaults, ACrossedCancelLeavesTheNextAnswerInItsPlace) {
  FakeServer server(env_, [](FakePeer& peer) {
    peer.Greet();
    peer.Expect(kWaitForK);
    peer.Expect(kCancel);
    peer.Write(kStop + kCanceled);
    peer.Expect(kAddOneToN);
    peer.Write(kSeven);
    peer.ReadToEnd();
  });
  const auto store = Connect(server);
  EXPECT_DIST_ERROR(store->Get("k", kShort), ErrorCode::kWaitTimeout);
  EXPECT_EQ(store->Add("n", 1), 7);
}

TEST_F(TcpStoreFaults, AWaitEndsAtItsDeadlineThoughTheServerHangs) {
  FakeServer server(env_, [](FakePeer& peer) {
    peer.Greet();
    peer.ReadToEnd();
  });
  const auto store = Connect(server);
  for (int round = 0; round < 3; ++round) {
    const absl::Time start = env_.Now();
    EXPECT_DIST_ERROR(store->Wait({"k", "l"}, kShort), ErrorCode::kWaitTimeout);
    EXPECT_GE(env_.Now() - start, kShort);
    EXPECT_LT(env_.Now() - start, absl::Seconds(2));
  }
}

// --- Closing ---

TEST_F(TcpStoreFaults, CloseEndsACallWhoseReplyDoesNotCome) {
  std::unique_ptr<TcpStore> store;
  FakeServer server(env_, [&](FakePeer& peer) {
    peer.Greet();
    peer.Expect(kAddOneToN);
    store->Close();
    peer.ReadToEnd();
  });
  store = Connect(server);
  const auto error = DistErrorOf([&] { store->Add("n", 1); });
  ASSERT_TRUE(error.has_value());
  EXPECT_EQ(error->code(), ErrorCode::kClosed);
  EXPECT_THAT(error->what(), AllOf(HasSubstr("closed while the add was under way"),
                                   HasSubstr("outcome of the add is unknown")));
}

TEST_F(TcpStoreFaults, CloseEndsAGreetingThatIsNotAnswered) {
  std::unique_ptr<TcpStore> store;
  FakeServer server(
      env_, [](FakePeer& peer) { peer.Greet(); },
      [&](FakePeer& peer) {
        peer.Read(10);
        store->Close();
        peer.ReadToEnd();
      });
  store = Connect(server);
  EXPECT_DIST_ERROR(store->Check({"k"}), ErrorCode::kConnectionLost);
  const auto error = DistErrorOf([&] { store->Check({"k"}); });
  ASSERT_TRUE(error.has_value());
  EXPECT_EQ(error->code(), ErrorCode::kClosed);
  EXPECT_THAT(error->what(), HasSubstr("the check was not sent"));
}

// --- Replies ---

TEST_F(TcpStoreFaults, AReplyThatDoesNotComeIsAnErrorAndTheNextCallConnectsAnew) {
  FakeServer server(
      env_,
      [](FakePeer& peer) {
        peer.Greet();
        EXPECT_EQ(peer.ReadToEnd(), kAddOneToN);
      },
      [](FakePeer& peer) {
        peer.Greet();
        peer.Expect(kAddOneToN);
        peer.Write(kSeven);
        peer.ReadToEnd();
      });
  const auto store = Connect(server);
  store->SetTimeout(kShort);
  const auto error = DistErrorOf([&] { store->Add("n", 1); });
  ASSERT_TRUE(error.has_value());
  EXPECT_EQ(error->code(), ErrorCode::kReplyTimeout);
  EXPECT_THAT(error->what(), AllOf(HasSubstr("did not answer the add within 100ms"),
                                   HasSubstr("outcome of the add is unknown")));
  store->SetTimeout(absl::Seconds(10));
  EXPECT_EQ(store->Add("n", 1), 7);
}

TEST_F(TcpStoreFaults, AReplyThatIsCutOffIsALostConnection) {
  FakeServer server(
      env_,
      [](FakePeer& peer) {
        peer.Greet();
        peer.Expect(kSetAToOne);
        peer.Expect(kAddOneToN);
        peer.Write(kSeven.substr(0, 3));
      },
      // It looks whether the key is a number.
      [](FakePeer& peer) {
        peer.Greet();
        peer.Expect(Bytes("05010000000000000002000000000000002f6e"));
        peer.Write(Bytes("01"));
        peer.Expect(kAddOneToN);
        peer.Write(kSeven);
        peer.ReadToEnd();
      });
  const auto store = Connect(server);
  store->Set("a", "1");
  const auto error = DistErrorOf([&] { store->Add("n", 1); });
  ASSERT_TRUE(error.has_value());
  EXPECT_EQ(error->code(), ErrorCode::kConnectionLost);
  EXPECT_THAT(error->what(), AllOf(HasSubstr("outcome of the add is unknown"),
                                   HasSubstr("1 earlier write was not confirmed")));
  EXPECT_EQ(store->Add("n", 1), 7);
}

TEST_F(TcpStoreFaults, AReplyOfImpossibleLengthIsAProtocolError) {
  FakeServer server(env_, [](FakePeer& peer) {
    peer.Greet();
    peer.Expect(kWaitForK);
    peer.Write(kStop);
    peer.Expect(kGetK);
    peer.Write(Bytes("ffffffffffffffff"));
    peer.ReadToEnd();
  });
  const auto store = Connect(server);
  EXPECT_DIST_ERROR(store->Get("k"), ErrorCode::kProtocol);
}

}  // namespace
}  // namespace rollcall
