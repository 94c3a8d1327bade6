// Fault scenarios written in C++, as sentences:
//
//   class SlowRank : public FaultScenario {};
//
//   TEST_F(SlowRank, IsNamedToTheOthers) {
//     GivenAServer();
//     GivenWorkers(3).Join().PassBarrier("ready", absl::Seconds(2));
//     GivenWorkers(1).Join().Sleep(absl::Seconds(5));
//     At(absl::Milliseconds(5)).Pause("w0").For(absl::Milliseconds(100));
//     Expect("w0-2",
//     "barrier").FailsWith("BARRIER_TIMEOUT").NamingRanks({3}).After(absl::Seconds(2));
//   }
//
// Each runs in the simulator over many seeds when the test's body has ended, every seed twice.
// Everything that a scenario file can say (fault_injection/scenario/scenario.proto) can be said
// here: what has no word of its own goes through `scenario()`, WorkersSaid::step() and
// FaultSaid::fault().
#ifndef ROLLCALL_TESTING_FAULT_SCENARIO_H_
#define ROLLCALL_TESTING_FAULT_SCENARIO_H_

#include <cstdint>
#include <initializer_list>
#include <utility>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "fault_injection/scenario/fixtures.h"
#include "fault_injection/scenario/scenario.pb.h"
#include "gtest/gtest.h"

namespace rollcall {

// A group of workers; each word adds a step that every one of them makes.
class WorkersSaid {
 public:
  explicit WorkersSaid(fault::Workers* group) : group_(*group) {}

  WorkersSaid& Join();
  WorkersSaid& Set(absl::string_view key, absl::string_view value);
  WorkersSaid& Get(absl::string_view key, absl::Duration timeout);
  WorkersSaid& Add(absl::string_view key, int64_t number);
  WorkersSaid& Wait(std::initializer_list<absl::string_view> keys, absl::Duration timeout);
  WorkersSaid& PassBarrier(absl::string_view name, absl::Duration timeout);
  WorkersSaid& AllGather(absl::string_view name, absl::string_view value, absl::Duration timeout);
  WorkersSaid& Sleep(absl::Duration duration);
  // A step of the test's own: a function of the fixtures that `Register` was given.
  WorkersSaid& Run(absl::string_view fixture);
  // Goes on with the next step although the last one may fail.
  WorkersSaid& AndGoOn();
  // Not at the beginning.
  WorkersSaid& StartingAt(absl::Duration at);

  // A new step, for what there is no word for.
  fault::Step& step() { return *group_.add_steps(); }

 private:
  fault::Step& StepOf(absl::Duration timeout);

  fault::Workers& group_;
};

// Something that goes wrong.
class FaultSaid {
 public:
  explicit FaultSaid(fault::Fault* fault) : fault_(*fault) {}

  FaultSaid& Kill(absl::string_view host);
  FaultSaid& Crash(absl::string_view host);
  FaultSaid& Restart(absl::string_view host);
  FaultSaid& Pause(absl::string_view host);
  FaultSaid& Cut(absl::string_view from, absl::string_view to);
  FaultSaid& CutBothWays(absl::string_view a, absl::string_view b);
  FaultSaid& Reset(absl::string_view a, absl::string_view b);
  FaultSaid& BlackHole(absl::string_view host);
  FaultSaid& Refuse(absl::string_view host);
  FaultSaid& Delay(absl::string_view from, absl::string_view to, absl::Duration latency);
  // `nth` as "1", "2-4", "3-"; empty: each.
  FaultSaid& FailCall(absl::string_view host, absl::string_view call, absl::string_view nth,
                      absl::string_view error);
  // And is undone.
  FaultSaid& For(absl::Duration lasts);

  fault::Fault& fault() { return fault_; }

 private:
  fault::Fault& fault_;
};

// What must come of it. Says nothing: that it succeeds.
class ExpectationSaid {
 public:
  explicit ExpectationSaid(fault::Expect* expect) : expect_(*expect) { expect_.mutable_succeeds(); }

  ExpectationSaid& Gives(absl::string_view value);
  ExpectationSaid& FailsWith(absl::string_view code);
  ExpectationSaid& Saying(absl::string_view text);
  ExpectationSaid& NamingRanks(std::initializer_list<int> ranks);
  ExpectationSaid& NamingKeys(std::initializer_list<absl::string_view> keys);
  ExpectationSaid& NeverEnds();
  // Exactly then.
  ExpectationSaid& After(absl::Duration time);

 private:
  fault::Expect& expect_;
};

class FaultScenario : public testing::Test {
 protected:
  FaultScenario();
  // Runs what was said, unless the body has failed or called RunNow.
  void TearDown() override;

  void GivenAServer();
  WorkersSaid GivenWorkers(int count);
  FaultSaid At(absl::Duration time);
  FaultSaid When(absl::string_view who, absl::string_view step_begins);
  FaultSaid WhenOver(absl::string_view who, absl::string_view step_ends);
  // From the beginning.
  FaultSaid Always();
  ExpectationSaid Expect(absl::string_view who, absl::string_view step);
  void Register(fault::Fixtures fixtures) { fixtures_ = std::move(fixtures); }
  void Seeds(int count) { scenario_.set_seeds(count); }

  fault::Scenario& scenario() { return scenario_; }
  // A failure of the test for each that the scenario has, with the picture of the first. With
  // --test_env=ROLLCALL_SEED=N only seed N is run.
  void RunNow();

 private:
  fault::Scenario scenario_;
  fault::Fixtures fixtures_;
  bool has_run_ = false;
};

}  // namespace rollcall

#endif  // ROLLCALL_TESTING_FAULT_SCENARIO_H_
