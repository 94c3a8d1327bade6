// Scenarios as sentences.
#include "testing/fault_scenario.h"

#include <string>

#include "absl/time/time.h"
#include "fault_injection/scenario/fixtures.h"
#include "gtest/gtest-spi.h"
#include "gtest/gtest.h"

namespace rollcall {
namespace {

class Rendezvous : public FaultScenario {};

TEST_F(Rendezvous, OfARankThatIsStarvedNamesItToTheOthers) {
  GivenAServer();
  GivenWorkers(4).Join().PassBarrier("ready", absl::Seconds(2));
  When("w3", "barrier").Pause("w3").For(absl::Seconds(10));
  Expect("w0-2", "barrier").FailsWith("BARRIER_TIMEOUT").NamingRanks({3});
  // It comes last, and then all have come.
  Expect("w3", "barrier");
}

TEST_F(Rendezvous, WithoutAServerEndsAtTheDeadlineAndSaysThatNobodyListens) {
  GivenWorkers(2).Join();
  Expect("w*", "join").FailsWith("CONNECT_REFUSED").Saying("refused").After(absl::Seconds(5));
}

TEST_F(Rendezvous, GoesOnThroughAServerThatHangsForAWhile) {
  GivenAServer();
  GivenWorkers(3).Join().AllGather("address", "host{rank}", absl::Seconds(10));
  At(absl::Microseconds(250)).Pause("server").For(absl::Seconds(3));
  Expect("w*", "all_gather").Gives("host0,host1,host2");
}

TEST_F(Rendezvous, RunsStepsOfTheTestsOwn) {
  Register({{"count", [](const fault::FixtureContext& context) {
               return std::to_string(context.store->Add("counter", 2));
             }}});
  GivenAServer();
  GivenWorkers(1).Join().Run("count");
  Expect("w0", "fixture").Gives("2");
}

TEST_F(Rendezvous, ThatGoesOtherwiseThanExpectedIsAFailure) {
  GivenAServer();
  GivenWorkers(1).Join().Get("never", absl::Seconds(1));
  Expect("w0", "get").Gives("something");
  EXPECT_NONFATAL_FAILURE(RunNow(), "WAIT_TIMEOUT");
}

TEST_F(Rendezvous, OfHostsThatThereAreNotIsAFailure) {
  GivenAServer();
  GivenWorkers(1).Join();
  At(absl::Seconds(1)).Kill("w7");
  EXPECT_NONFATAL_FAILURE(RunNow(), "there is no host \"w7\"");
}

}  // namespace
}  // namespace rollcall
