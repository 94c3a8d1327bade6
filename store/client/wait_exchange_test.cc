// A wait and its cancelling, byte by byte, against a server that answers at the worst moment.
#include "store/client/wait_exchange.h"

#include <cstddef>
#include <memory>
#include <string>
#include <utility>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "net/real_env.h"
#include "store/client/channel.h"
#include "store/client/fake_server.h"

namespace rollcall::client {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

// Stand-ins for requests: the exchange does not look into them.
constexpr char kWait[] = "W";
constexpr char kCancel[] = "C";
constexpr char kChecks[] = "ab";
constexpr char kCensus[] = "CabW";
constexpr char kGet[] = "G";
constexpr char kGetAndWait[] = "GW";

const std::string kStop("\0", 1);
const std::string kCanceled("\1", 1);
const std::string kReady("\0", 1);
const std::string kNotReady("\1", 1);
const std::string kNoValue(8, '\0');

std::string Text(const std::string& value) {
  return static_cast<char>(value.size()) + std::string(7, '\0') + value;
}

// Plays the second thread: it asks the waiter to leave as soon as it waits.
class EagerGate : public WaitGate {
 public:
  explicit EagerGate(Channel& channel) : channel_(channel) {}
  void Open() override { EXPECT_TRUE(channel_.SendFromOutside(kCancel).ok()); }
  bool Close() override { return true; }

 private:
  Channel& channel_;
};

class WaitExchange : public testing::Test {
 protected:
  template <typename Script>
  void Serve(Script script) {
    server_ = std::make_unique<FakeServer>(env_, std::move(script));
    auto connection = env_.ConnectAny({net::SocketAddress::LoopbackV4(server_->port())},
                                      env_.Now() + absl::Seconds(10));
    channel_ = std::make_unique<Channel>(*std::move(connection));
  }

  WaitResult Run(const WaitPlan& plan, WaitGate* gate = nullptr) {
    const absl::StatusOr<WaitResult> result = RunWait(env_, *channel_, plan, gate);
    EXPECT_TRUE(result.ok()) << result.status();
    return result.value_or(WaitResult());
  }

  WaitPlan PlanFor(absl::Duration timeout) {
    return {.request = kWait, .deadline = env_.Now() + timeout, .cancel = kCancel};
  }

  WaitPlan GetPlanFor(absl::Duration timeout) {
    WaitPlan plan = PlanFor(timeout);
    plan.get = kGet;
    return plan;
  }

  WaitPlan CensusPlanFor(absl::Duration timeout, absl::Duration census_after) {
    WaitPlan plan = PlanFor(timeout);
    plan.checks = [] { return kChecks; };
    plan.census_keys = 2;
    plan.census_at = env_.Now() + census_after;
    return plan;
  }

  // "x" goes out and "y" comes back: the channel is in step.
  void ExpectInStep() {
    ASSERT_TRUE(channel_->in_step());
    ASSERT_TRUE(channel_->Send("x", env_.Now() + absl::Seconds(10)).ok());
    const absl::StatusOr<uint8_t> reply = channel_->ReceiveSignal(env_.Now() + absl::Seconds(10));
    ASSERT_TRUE(reply.ok()) << reply.status();
    EXPECT_EQ(*reply, 'y');
  }

  net::Env& env_ = net::RealEnv();
  std::unique_ptr<FakeServer> server_;
  std::unique_ptr<Channel> channel_;
};

TEST_F(WaitExchange, EndsWhenTheServerSaysSo) {
  Serve([](FakePeer& peer) {
    peer.Expect(kWait);
    peer.Write(kStop);
    peer.Expect("x");
    peer.Write("y");
  });
  EXPECT_EQ(Run(PlanFor(absl::Seconds(10))).outcome, WaitOutcome::kReleased);
  ExpectInStep();
}

TEST_F(WaitExchange, TimesOutAtItsDeadlineAndStaysInStep) {
  Serve([](FakePeer& peer) {
    peer.Expect(kWait);
    peer.Expect(kCancel);
    peer.Write(kCanceled);
    peer.Expect("x");
    peer.Write("y");
  });
  const WaitPlan plan = PlanFor(absl::Milliseconds(20));
  EXPECT_EQ(Run(plan).outcome, WaitOutcome::kTimedOut);
  EXPECT_GE(env_.Now(), plan.deadline);
  ExpectInStep();
}

TEST_F(WaitExchange, TimesOutThoughTheServerNeverAnswersTheCancel) {
  Serve([](FakePeer& peer) { EXPECT_EQ(peer.ReadToEnd(), "WC"); });
  EXPECT_EQ(Run(PlanFor(absl::Milliseconds(20))).outcome, WaitOutcome::kTimedOut);
  channel_.reset();
}

TEST_F(WaitExchange, ReadsPastAReleaseThatCrossedTheCancel) {
  Serve([](FakePeer& peer) {
    peer.Expect(kWait);
    peer.Expect(kCancel);
    peer.Write(kStop);
    peer.Write(kCanceled);
    peer.Expect("x");
    peer.Write("y");
  });
  EXPECT_EQ(Run(PlanFor(absl::Milliseconds(20))).outcome, WaitOutcome::kTimedOut);
  ExpectInStep();
}

TEST_F(WaitExchange, ManyTimeoutsLeaveOneAnswerEachToReadPast) {
  Serve([](FakePeer& peer) {
    peer.Expect("WCWCWC");
    peer.Write(kCanceled + kStop + kCanceled + kCanceled);
    peer.Expect("x");
    peer.Write("y");
  });
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(Run(PlanFor(absl::Milliseconds(5))).outcome, WaitOutcome::kTimedOut);
  }
  ExpectInStep();
}

TEST_F(WaitExchange, AWaiterThatIsAskedToLeaveGoes) {
  Serve([](FakePeer& peer) {
    peer.Expect(kWait);
    peer.Expect(kCancel);
    peer.Write(kCanceled);
    peer.Expect("x");
    peer.Write("y");
  });
  EagerGate gate(*channel_);
  EXPECT_EQ(Run(PlanFor(absl::Seconds(10)), &gate).outcome, WaitOutcome::kPreempted);
  ExpectInStep();
}

TEST_F(WaitExchange, AReleaseThatCrossesTheRequestToLeaveCounts) {
  Serve([](FakePeer& peer) {
    peer.Expect(kWait);
    peer.Expect(kCancel);
    peer.Write(kStop + kCanceled);
    peer.Expect("x");
    peer.Write("y");
  });
  EagerGate gate(*channel_);
  EXPECT_EQ(Run(PlanFor(absl::Seconds(10)), &gate).outcome, WaitOutcome::kReleased);
  ExpectInStep();
}

TEST_F(WaitExchange, OnceAskedToLeaveItsOwnTimeoutSendsNoSecondCancel) {
  Serve([](FakePeer& peer) {
    peer.Expect("WC");
    peer.Expect("x");
    peer.Write(kCanceled + "y");
  });
  EagerGate gate(*channel_);
  EXPECT_EQ(Run(PlanFor(absl::Milliseconds(20)), &gate).outcome, WaitOutcome::kTimedOut);
  ExpectInStep();
}

TEST_F(WaitExchange, ACensusShortlyBeforeTheDeadlineTellsWhatIsMissing) {
  Serve([](FakePeer& peer) {
    peer.Expect(kWait);
    peer.Expect(kCensus);
    peer.Write(kCanceled + kReady + kNotReady);
    peer.Expect(kCancel);
    peer.Write(kCanceled);
    peer.Expect("x");
    peer.Write("y");
  });
  const WaitPlan plan = CensusPlanFor(absl::Milliseconds(200), absl::Milliseconds(20));
  const WaitResult result = Run(plan);
  EXPECT_EQ(result.outcome, WaitOutcome::kTimedOut);
  EXPECT_THAT(result.missing, ElementsAre(false, true));
  ExpectInStep();
}

TEST_F(WaitExchange, AKeyThatComesAfterTheCensusIsStillInTime) {
  Serve([](FakePeer& peer) {
    peer.Expect(kWait);
    peer.Expect(kCensus);
    peer.Write(kCanceled + kReady + kNotReady + kStop);
    peer.Expect("x");
    peer.Write("y");
  });
  const WaitPlan plan = CensusPlanFor(absl::Seconds(10), absl::Milliseconds(5));
  EXPECT_EQ(Run(plan).outcome, WaitOutcome::kReleased);
  ExpectInStep();
}

TEST_F(WaitExchange, AReleaseThatCrossesTheCensusCounts) {
  Serve([](FakePeer& peer) {
    peer.Expect(kWait);
    peer.Expect(kCensus);
    peer.Write(kStop + kCanceled + kReady + kReady + kStop);
    peer.Expect(kCancel);
    peer.Write(kCanceled);
    peer.Expect("x");
    peer.Write("y");
  });
  const WaitPlan plan = CensusPlanFor(absl::Seconds(10), absl::Milliseconds(5));
  EXPECT_EQ(Run(plan).outcome, WaitOutcome::kReleased);
  ExpectInStep();
}

// The server was silent for so long that an earlier wait's answers are still to come: they say
// nothing about this one.
TEST_F(WaitExchange, ACensusIsToldFromTheAnswersOfEarlierWaits) {
  Serve([](FakePeer& peer) {
    peer.Expect("W");
    peer.Expect("C");
    peer.Expect("V");
    peer.Expect("CabV");
    peer.Write(kStop + kCanceled);               // "W", which ended as it was given up.
    peer.Write(kCanceled + kReady + kNotReady);  // "V".
    peer.Expect(kCancel);
    peer.Write(kCanceled);
    peer.Expect("x");
    peer.Write("y");
  });
  EXPECT_EQ(Run(PlanFor(absl::Milliseconds(20))).outcome, WaitOutcome::kTimedOut);
  WaitPlan plan = CensusPlanFor(absl::Milliseconds(200), absl::Milliseconds(20));
  plan.request = "V";
  const WaitResult result = Run(plan);
  EXPECT_EQ(result.outcome, WaitOutcome::kTimedOut);
  EXPECT_THAT(result.missing, ElementsAre(false, true));
  ExpectInStep();
}

TEST_F(WaitExchange, ACensusThatIsNotAnsweredDoesNotDelayTheTimeout) {
  Serve([](FakePeer& peer) {
    peer.Expect(kWait);
    peer.Expect(kCensus);
    peer.Expect(kCancel);
    peer.Expect("x");
    peer.Write(kCanceled + kNotReady + kNotReady + kCanceled + "y");
  });
  const WaitPlan plan = CensusPlanFor(absl::Milliseconds(50), absl::Milliseconds(5));
  const WaitResult result = Run(plan);
  EXPECT_EQ(result.outcome, WaitOutcome::kTimedOut);
  EXPECT_THAT(result.missing, IsEmpty());
  ExpectInStep();
}

// --- A get ahead of the wait ---

TEST_F(WaitExchange, AGetOfAKeyThatIsThereIsOneExchange) {
  Serve([](FakePeer& peer) {
    peer.Expect(kGetAndWait);
    peer.Write(Text("value") + kStop);
    peer.Expect("x");
    peer.Write("y");
  });
  const WaitResult result = Run(GetPlanFor(absl::Seconds(10)));
  EXPECT_EQ(result.outcome, WaitOutcome::kReleased);
  EXPECT_EQ(result.value, "value");
  ExpectInStep();
}

TEST_F(WaitExchange, AGetOfAMissingKeyWaits) {
  Serve([](FakePeer& peer) {
    peer.Expect(kGetAndWait);
    peer.Write(kNoValue);
    peer.Write(kStop);
    peer.Expect("x");
    peer.Write("y");
  });
  const WaitResult result = Run(GetPlanFor(absl::Seconds(10)));
  EXPECT_EQ(result.outcome, WaitOutcome::kReleased);
  EXPECT_EQ(result.value, "");
  ExpectInStep();
}

TEST_F(WaitExchange, AKeyThatIsDeletedBehindTheGetEndsItAllTheSame) {
  Serve([](FakePeer& peer) {
    peer.Expect(kGetAndWait);
    peer.Write(Text("value"));  // And nothing more: the wait goes on.
    peer.Expect(kCancel);
    peer.Write(kCanceled);
    peer.Expect("x");
    peer.Write("y");
  });
  const WaitResult result = Run(GetPlanFor(absl::InfiniteDuration()));
  EXPECT_EQ(result.outcome, WaitOutcome::kReleased);
  EXPECT_EQ(result.value, "value");
  ExpectInStep();
}

TEST_F(WaitExchange, AnEndOfTheWaitThatTravelsApartFromTheValueIsReadPast) {
  Serve([](FakePeer& peer) {
    peer.Expect(kGetAndWait);
    peer.Write(Text("value"));
    peer.Expect(kCancel);
    peer.Write(kStop + kCanceled);
    peer.Expect("x");
    peer.Write("y");
  });
  EXPECT_EQ(Run(GetPlanFor(absl::Seconds(10))).value, "value");
  ExpectInStep();
}

// The server's answers, as far as they come after the time-out, are cut at each byte.
TEST_F(WaitExchange, AGetThatTimesOutLeavesItsAnswersToReadPast) {
  const std::string value = Text("late");
  for (const std::string& answers : {kNoValue + kCanceled, kNoValue + kStop + kCanceled,
                                     value + kStop + kCanceled, value + kCanceled}) {
    // A value that has come in full is no time-out.
    const size_t early_max = answers.compare(0, value.size(), value) == 0 ? value.size() - 1 : 8;
    for (size_t cut = 0; cut <= early_max; ++cut) {
      Serve([answers, cut](FakePeer& peer) {
        peer.Expect(kGetAndWait);
        peer.Write(answers.substr(0, cut));
        peer.Expect(kCancel);
        peer.Write(answers.substr(cut));
        peer.Expect("x");
        peer.Write("y");
      });
      EXPECT_EQ(Run(GetPlanFor(absl::Milliseconds(5))).outcome, WaitOutcome::kTimedOut);
      ExpectInStep();
    }
  }
}

TEST_F(WaitExchange, ManyGetsThatTimeOutLeaveTheirAnswersInOrder) {
  Serve([](FakePeer& peer) {
    peer.Expect("GWCGWCWC");
    peer.Write(Text("late") + kStop + kCanceled + kNoValue + kCanceled + kStop + kCanceled);
    peer.Expect("x");
    peer.Write("y");
  });
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(Run(GetPlanFor(absl::Milliseconds(5))).outcome, WaitOutcome::kTimedOut);
  }
  EXPECT_EQ(Run(PlanFor(absl::Milliseconds(5))).outcome, WaitOutcome::kTimedOut);
  ExpectInStep();
}

TEST_F(WaitExchange, AGetThatIsAskedToLeaveWhileItWaitsGoes) {
  Serve([](FakePeer& peer) {
    peer.Expect(kGetAndWait);
    peer.Write(kNoValue);
    peer.Expect(kCancel);
    peer.Write(kCanceled);
    peer.Expect("x");
    peer.Write("y");
  });
  EagerGate gate(*channel_);
  EXPECT_EQ(Run(GetPlanFor(absl::Seconds(10)), &gate).outcome, WaitOutcome::kPreempted);
  ExpectInStep();
}

TEST_F(WaitExchange, AValueOfManySegmentsComesWhole) {
  const std::string value(200'000, 'v');
  std::string length(8, '\0');
  length[0] = '\x40';
  length[1] = '\x0d';
  length[2] = '\x03';
  Serve([&](FakePeer& peer) {
    peer.Expect(kGetAndWait);
    peer.Write(length + value + kStop);
    peer.Read(1);  // "C", if the end of the wait came apart, and then its answer; or "x".
    peer.Write(kCanceled);
    peer.ReadToEnd();
  });
  EXPECT_EQ(Run(GetPlanFor(absl::Seconds(10))).value, value);
  EXPECT_TRUE(channel_->in_step());
  channel_.reset();
}

TEST_F(WaitExchange, WithoutACancelATimeoutBreaksTheChannel) {
  Serve([](FakePeer& peer) { EXPECT_EQ(peer.ReadToEnd(), "W"); });
  WaitPlan plan = PlanFor(absl::Milliseconds(5));
  plan.cancel.clear();
  EXPECT_EQ(Run(plan).outcome, WaitOutcome::kTimedOut);
  EXPECT_FALSE(channel_->in_step());
  channel_.reset();
}

TEST_F(WaitExchange, AnAnswerThatIsNoneBreaksTheChannel) {
  for (const char* answer : {"\x02", "\x01"}) {  // Nobody cancelled: WAIT_CANCELED is wrong too.
    Serve([answer](FakePeer& peer) {
      peer.Expect(kWait);
      peer.Write(answer);
    });
    const absl::StatusOr<WaitResult> result =
        RunWait(env_, *channel_, PlanFor(absl::Seconds(10)), nullptr);
    EXPECT_TRUE(absl::IsDataLoss(result.status())) << result.status();
    EXPECT_FALSE(channel_->in_step());
  }
}

TEST_F(WaitExchange, TheServersEndIsAnErrorAtOnce) {
  Serve([](FakePeer& peer) { peer.Expect(kWait); });
  const absl::StatusOr<WaitResult> result =
      RunWait(env_, *channel_, PlanFor(absl::InfiniteDuration()), nullptr);
  EXPECT_FALSE(result.ok());
  EXPECT_FALSE(channel_->in_step());
}

}  // namespace
}  // namespace rollcall::client
