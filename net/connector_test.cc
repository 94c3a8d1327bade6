#include "net/connector.h"

#include <deque>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "net/address.h"
#include "net/connection.h"
#include "net/env.h"
#include "net/net_error.h"
#include "net/real_env.h"

namespace rollcall::net {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

absl::Status Error(NetErrorKind kind) { return NetError("scripted", {.kind = kind}); }

class FakeConnection : public Connection {
 public:
  absl::Status Write(absl::string_view, absl::Time) override { return absl::OkStatus(); }
  absl::StatusOr<size_t> Read(char*, size_t, absl::Time) override { return 0; }
  absl::Status ShutdownWrite() override { return absl::OkStatus(); }
  void ResetOnClose() override {}
  void Shutdown() override {}
  const SocketAddress& local_address() const override { return address_; }
  const SocketAddress& peer_address() const override { return address_; }

 private:
  SocketAddress address_;
};

// One step of a connection attempt: how long it takes and what comes of it.
struct Step {
  absl::Status result;
  absl::Duration takes = absl::ZeroDuration();
};

// Time moves only by what steps take and by sleeping. A step longer than the deadline is cut off
// there, as the real ones are.
class ScriptedEnv : public Env {
 public:
  absl::Time Now() override { return now_; }
  void SleepUntil(absl::Time deadline) override {
    sleeps_ms.push_back(absl::ToDoubleMilliseconds(deadline - now_));
    now_ = std::max(now_, deadline);
  }
  absl::StatusOr<std::vector<SocketAddress>> Resolve(const Endpoint&,
                                                     absl::Time deadline) override {
    absl::Status resolved = Take(look_ups, deadline, NetErrorKind::kTimedOut);
    if (!resolved.ok()) return resolved;
    return std::vector<SocketAddress>{SocketAddress::LoopbackV4(1)};
  }
  absl::StatusOr<std::unique_ptr<Connection>> ConnectAny(absl::Span<const SocketAddress>,
                                                         absl::Time deadline) override {
    absl::Status connected = Take(connects, deadline, NetErrorKind::kNoAnswer);
    if (!connected.ok()) return connected;
    return std::make_unique<FakeConnection>();
  }
  uint64_t RandomBits() override { return uint64_t{1} << 63; }  // No jitter.

  absl::Status Take(std::deque<Step>& steps, absl::Time deadline, NetErrorKind when_cut_off) {
    if (steps.empty()) return absl::OkStatus();
    const Step step = steps.front();
    if (steps.size() > 1 || !repeats_last) steps.pop_front();
    const bool is_cut_off = now_ + step.takes > deadline;
    now_ = std::max(now_, std::min(now_ + step.takes, deadline));
    return is_cut_off ? Error(when_cut_off) : step.result;
  }

  std::deque<Step> look_ups;
  std::deque<Step> connects;
  std::deque<Step> handshakes;
  bool repeats_last = false;
  std::vector<double> sleeps_ms;

  // Not used by a connector.
  std::unique_ptr<Thread> StartThread(std::string, absl::AnyInvocable<void()>) override {
    return nullptr;
  }
  std::unique_ptr<Monitor> NewMonitor() override { return nullptr; }
  absl::StatusOr<std::unique_ptr<ListeningSocket>> Listen(const Endpoint&) override {
    return absl::UnimplementedError("");
  }
  absl::StatusOr<std::unique_ptr<EventLoop>> NewEventLoop(EventLoopKind) override {
    return absl::UnimplementedError("");
  }
  std::optional<std::string> GetEnvironmentVariable(const std::string&) override {
    return std::nullopt;
  }
  int ProcessId() override { return 1; }
  std::string HostName() override { return "host"; }
  std::optional<int> MaxListenBacklog() override { return std::nullopt; }

 private:
  absl::Time now_ = absl::FromUnixSeconds(1'000'000);
};

class ConnectorTest : public ::testing::Test {
 protected:
  absl::Status Join(absl::Duration timeout) {
    start_ = env_.Now();
    const absl::StatusOr<std::unique_ptr<Connection>> connection =
        ConnectWithRetry(env_, {"node0", 29500}, {}, start_ + timeout,
                         [this](std::unique_ptr<Connection>&, absl::Time deadline) {
                           return env_.Take(env_.handshakes, deadline, NetErrorKind::kTimedOut);
                         });
    return connection.status();
  }

  absl::Duration Took() { return env_.Now() - start_; }

  static NetErrorInfo Info(const absl::Status& status) {
    const std::optional<NetErrorInfo> info = GetNetErrorInfo(status);
    EXPECT_TRUE(info.has_value()) << status;
    return info.value_or(NetErrorInfo{});
  }

  ScriptedEnv env_;
  absl::Time start_;
};

TEST_F(ConnectorTest, AServerThatIsUpIsJoinedAtOnce) {
  EXPECT_EQ(Join(absl::Seconds(1)), absl::OkStatus());
  EXPECT_TRUE(env_.sleeps_ms.empty());
}

TEST_F(ConnectorTest, AServerThatStartsLateIsJoinedSoonAfter) {
  env_.connects = {{Error(NetErrorKind::kRefused)},
                   {Error(NetErrorKind::kRefused)},
                   {Error(NetErrorKind::kRefused)},
                   {absl::OkStatus()}};
  EXPECT_EQ(Join(absl::Seconds(1)), absl::OkStatus());
  EXPECT_THAT(env_.sleeps_ms, ElementsAre(20, 32, testing::DoubleNear(51.2, 1e-6)));
}

TEST_F(ConnectorTest, EveryStepOfAnAttemptMayFailAndIsTriedAgain) {
  env_.look_ups = {{Error(NetErrorKind::kNameLookup)}};
  env_.connects = {{Error(NetErrorKind::kResourceExhausted)}, {Error(NetErrorKind::kUnreachable)}};
  env_.handshakes = {{Error(NetErrorKind::kReset)},
                     {Error(NetErrorKind::kClosedByPeer)},
                     {Error(NetErrorKind::kPeerVanished)}};
  EXPECT_EQ(Join(absl::Seconds(10)), absl::OkStatus());
  EXPECT_EQ(env_.sleeps_ms.size(), 6u);
}

TEST_F(ConnectorTest, NobodyListensUntilTheDeadline) {
  env_.repeats_last = true;
  env_.connects = {{NetError(
      "connect",
      {.kind = NetErrorKind::kRefused, .errno_value = ECONNREFUSED, .address = "10.0.0.1:29500"})}};
  const absl::Status status = Join(absl::Milliseconds(100));
  EXPECT_EQ(Took(), absl::Milliseconds(100));
  EXPECT_EQ(status.code(), absl::StatusCode::kDeadlineExceeded);
  EXPECT_EQ(Info(status).kind, NetErrorKind::kRefused);
  EXPECT_EQ(Info(status).errno_value, ECONNREFUSED);
  EXPECT_EQ(Info(status).address, "node0:29500");
  EXPECT_EQ(Info(status).attempts, 3);  // At 0, 20 and 52 ms.
  EXPECT_EQ(Info(status).elapsed, absl::Milliseconds(100));
  EXPECT_EQ(std::string(status.message()),
            "could not join node0:29500 before the deadline: refused 3 times (last at "
            "10.0.0.1:29500): ECONNREFUSED (Connection refused) [3 attempts, after 100ms]");
}

TEST_F(ConnectorTest, NoAnswerIsToldApartFromARefusal) {
  env_.connects = {{absl::OkStatus(), absl::InfiniteDuration()}};
  const absl::Status status = Join(absl::Seconds(5));
  EXPECT_EQ(Took(), absl::Seconds(5));
  EXPECT_EQ(status.code(), absl::StatusCode::kDeadlineExceeded);
  EXPECT_EQ(Info(status).kind, NetErrorKind::kNoAnswer);
  EXPECT_THAT(std::string(status.message()), HasSubstr("no answer"));
}

TEST_F(ConnectorTest, ALookUpThatFailsOrHangsIsNamed) {
  env_.repeats_last = true;
  env_.look_ups = {{Error(NetErrorKind::kNameLookup)}};
  const absl::Status failed = Join(absl::Milliseconds(30));
  EXPECT_EQ(Info(failed).kind, NetErrorKind::kNameLookup);
  EXPECT_THAT(std::string(failed.message()), HasSubstr("name look-up failed 2 times"));

  env_.look_ups = {{absl::OkStatus(), absl::InfiniteDuration()}};
  const absl::Status hung = Join(absl::Milliseconds(30));
  EXPECT_EQ(Took(), absl::Milliseconds(30));
  EXPECT_EQ(Info(hung).kind, NetErrorKind::kTimedOut);
  EXPECT_THAT(std::string(hung.message()), HasSubstr("name look-up not answered"));
}

TEST_F(ConnectorTest, AServerThatAcceptsAndSaysNothingIsNamed) {
  env_.handshakes = {{absl::OkStatus(), absl::InfiniteDuration()}};
  const absl::Status status = Join(absl::Seconds(5));
  EXPECT_EQ(Took(), absl::Seconds(5));
  EXPECT_EQ(Info(status).kind, NetErrorKind::kTimedOut);
  EXPECT_THAT(std::string(status.message()),
              HasSubstr("accepted but did not answer the handshake"));
}

TEST_F(ConnectorTest, TheMessageCountsEachOutcome) {
  env_.repeats_last = true;
  env_.connects = {
      {Error(NetErrorKind::kRefused)}, {Error(NetErrorKind::kRefused)}, {absl::OkStatus()}};
  env_.handshakes = {{Error(NetErrorKind::kReset)}};
  const absl::Status status = Join(absl::Milliseconds(100));
  EXPECT_EQ(Info(status).kind, NetErrorKind::kReset);
  EXPECT_THAT(std::string(status.message()),
              HasSubstr("refused 2 times, reset during the handshake"));
}

TEST_F(ConnectorTest, AnAttemptCutOffByTheDeadlineDoesNotHideTheReason) {
  env_.connects = {{Error(NetErrorKind::kRefused)}, {absl::OkStatus(), absl::InfiniteDuration()}};
  const absl::Status briefly = Join(absl::Milliseconds(100));
  EXPECT_EQ(Info(briefly).kind, NetErrorKind::kRefused);
  EXPECT_EQ(Info(briefly).attempts, 2);
  EXPECT_THAT(std::string(briefly.message()), HasSubstr("refused, last attempt cut off"));

  env_.connects = {{Error(NetErrorKind::kRefused)}, {absl::OkStatus(), absl::InfiniteDuration()}};
  EXPECT_EQ(Info(Join(absl::Minutes(5))).kind, NetErrorKind::kNoAnswer);
}

TEST_F(ConnectorTest, APastDeadlineMakesOneAttempt) {
  EXPECT_EQ(Join(-absl::Seconds(1)), absl::OkStatus());
  env_.connects = {{Error(NetErrorKind::kRefused)}};
  EXPECT_EQ(Info(Join(absl::ZeroDuration())).attempts, 1);
}

TEST_F(ConnectorTest, WhatCannotGoBetterIsReturnedAtOnce) {
  for (NetErrorKind kind : {NetErrorKind::kPermission, NetErrorKind::kShutDown, NetErrorKind::kBug,
                            NetErrorKind::kBadDescriptor}) {
    env_.connects = {{Error(kind)}};
    EXPECT_EQ(Join(absl::Seconds(5)), Error(kind));
    EXPECT_EQ(Took(), absl::ZeroDuration());
  }
  env_.handshakes = {{absl::FailedPreconditionError("not a store")}};
  EXPECT_EQ(Join(absl::Seconds(5)), absl::FailedPreconditionError("not a store"));
}

TEST(RealConnectorTest, RetriesAReset) {
  const auto listener = *RealEnv().Listen({"127.0.0.1", 0});
  const absl::Time deadline = RealEnv().Now() + absl::Seconds(60);
  const std::unique_ptr<Thread> server = RealEnv().StartThread("server", [&] {
    // The first two are thrown out, one with unread bytes and one without.
    listener->Accept(deadline).IgnoreError();
    char byte;
    (*listener->Accept(deadline))->Read(&byte, 1, deadline).IgnoreError();
    EXPECT_TRUE((*listener->Accept(deadline))->Write("!", deadline).ok());
  });
  int handshakes = 0;
  const auto connection =
      ConnectWithRetry(RealEnv(), {"127.0.0.1", listener->address().port()}, {}, deadline,
                       [&](std::unique_ptr<Connection>& connection, absl::Time deadline) {
                         ++handshakes;
                         absl::Status sent = connection->Write("?", deadline);
                         if (!sent.ok()) return sent;
                         char byte;
                         return connection->Read(&byte, 1, deadline).status();
                       });
  EXPECT_TRUE(connection.ok()) << connection.status();
  EXPECT_EQ(handshakes, 3);
}

TEST(RealConnectorTest, GivesUpAtTheDeadline) {
  const uint16_t port = (*RealEnv().Listen({"127.0.0.1", 0}))->address().port();
  const absl::Time deadline = RealEnv().Now() + absl::Milliseconds(100);
  const auto connection =
      ConnectWithRetry(RealEnv(), {"localhost", port}, {}, deadline,
                       [](std::unique_ptr<Connection>&, absl::Time) { return absl::OkStatus(); });
  EXPECT_GE(RealEnv().Now(), deadline);
  EXPECT_EQ(connection.status().code(), absl::StatusCode::kDeadlineExceeded);
  EXPECT_EQ(GetNetErrorInfo(connection.status())->kind, NetErrorKind::kRefused);
}

}  // namespace
}  // namespace rollcall::net
