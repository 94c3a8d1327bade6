#include "testing/fault_scenario.h"

#include <cstdlib>
#include <string>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_join.h"
#include "fault_injection/scenario/bundle.h"
#include "fault_injection/scenario/scenario_runner.h"
#include "fault_injection/scenario/scenario_text.h"

namespace rollcall {
namespace {

std::string Text(absl::string_view text) { return std::string(text); }

template <typename Way>
void SetWay(absl::string_view from, absl::string_view to, bool both_ways, Way* way) {
  way->set_from(Text(from));
  way->set_to(Text(to));
  way->set_both_ways(both_ways);
}

}  // namespace

// --- Workers ---

fault::Step& WorkersSaid::StepOf(absl::Duration timeout) {
  fault::Step& added = step();
  added.set_timeout(absl::FormatDuration(timeout));
  return added;
}

WorkersSaid& WorkersSaid::Join() {
  step().mutable_join();
  return *this;
}

WorkersSaid& WorkersSaid::Set(absl::string_view key, absl::string_view value) {
  fault::KeyValue& set = *step().mutable_set();
  set.set_key(Text(key));
  set.set_value(Text(value));
  return *this;
}

WorkersSaid& WorkersSaid::Get(absl::string_view key, absl::Duration timeout) {
  StepOf(timeout).mutable_get()->set_key(Text(key));
  return *this;
}

WorkersSaid& WorkersSaid::Add(absl::string_view key, int64_t number) {
  fault::KeyNumber& add = *step().mutable_add();
  add.set_key(Text(key));
  add.set_number(number);
  return *this;
}

WorkersSaid& WorkersSaid::Wait(std::initializer_list<absl::string_view> keys,
                               absl::Duration timeout) {
  fault::Keys& wait = *StepOf(timeout).mutable_wait();
  for (absl::string_view key : keys) wait.add_keys(Text(key));
  return *this;
}

WorkersSaid& WorkersSaid::PassBarrier(absl::string_view name, absl::Duration timeout) {
  StepOf(timeout).mutable_barrier()->set_name(Text(name));
  return *this;
}

WorkersSaid& WorkersSaid::AllGather(absl::string_view name, absl::string_view value,
                                    absl::Duration timeout) {
  fault::NameValue& gather = *StepOf(timeout).mutable_all_gather();
  gather.set_name(Text(name));
  gather.set_value(Text(value));
  return *this;
}

WorkersSaid& WorkersSaid::Sleep(absl::Duration duration) {
  step().set_sleep(absl::FormatDuration(duration));
  return *this;
}

WorkersSaid& WorkersSaid::Run(absl::string_view fixture) {
  step().set_fixture(Text(fixture));
  return *this;
}

WorkersSaid& WorkersSaid::AndGoOn() {
  group_.mutable_steps()->rbegin()->set_goes_on(true);
  return *this;
}

WorkersSaid& WorkersSaid::StartingAt(absl::Duration at) {
  group_.set_start_at(absl::FormatDuration(at));
  return *this;
}

// --- Faults ---

FaultSaid& FaultSaid::Kill(absl::string_view host) {
  fault_.set_kill(Text(host));
  return *this;
}

FaultSaid& FaultSaid::Crash(absl::string_view host) {
  fault_.set_crash(Text(host));
  return *this;
}

FaultSaid& FaultSaid::Restart(absl::string_view host) {
  fault_.set_restart(Text(host));
  return *this;
}

FaultSaid& FaultSaid::Pause(absl::string_view host) {
  fault_.set_pause(Text(host));
  return *this;
}

FaultSaid& FaultSaid::Cut(absl::string_view from, absl::string_view to) {
  SetWay(from, to, /*both_ways=*/false, fault_.mutable_cut());
  return *this;
}

FaultSaid& FaultSaid::CutBothWays(absl::string_view a, absl::string_view b) {
  SetWay(a, b, /*both_ways=*/true, fault_.mutable_cut());
  return *this;
}

FaultSaid& FaultSaid::Reset(absl::string_view a, absl::string_view b) {
  SetWay(a, b, /*both_ways=*/true, fault_.mutable_reset());
  return *this;
}

FaultSaid& FaultSaid::BlackHole(absl::string_view host) {
  fault_.set_black_hole(Text(host));
  return *this;
}

FaultSaid& FaultSaid::Refuse(absl::string_view host) {
  fault_.set_refuse(Text(host));
  return *this;
}

FaultSaid& FaultSaid::Delay(absl::string_view from, absl::string_view to, absl::Duration latency) {
  SetWay(from, to, /*both_ways=*/false, fault_.mutable_latency());
  fault_.mutable_latency()->set_latency(absl::FormatDuration(latency));
  return *this;
}

FaultSaid& FaultSaid::FailCall(absl::string_view host, absl::string_view call,
                               absl::string_view nth, absl::string_view error) {
  fault::SyscallFault& syscall = *fault_.mutable_call();
  syscall.set_host(Text(host));
  syscall.set_call(Text(call));
  syscall.set_nth(Text(nth));
  syscall.set_fails(Text(error));
  return *this;
}

FaultSaid& FaultSaid::For(absl::Duration lasts) {
  fault_.set_lasts(absl::FormatDuration(lasts));
  return *this;
}

// --- Expectations ---

ExpectationSaid& ExpectationSaid::Gives(absl::string_view value) {
  expect_.mutable_succeeds()->set_value(Text(value));
  return *this;
}

ExpectationSaid& ExpectationSaid::FailsWith(absl::string_view code) {
  expect_.mutable_fails()->add_code(Text(code));
  return *this;
}

ExpectationSaid& ExpectationSaid::Saying(absl::string_view text) {
  expect_.mutable_fails()->add_says(Text(text));
  return *this;
}

ExpectationSaid& ExpectationSaid::NamingRanks(std::initializer_list<int> ranks) {
  for (const int rank : ranks) expect_.mutable_fails()->add_missing_ranks(rank);
  return *this;
}

ExpectationSaid& ExpectationSaid::NamingKeys(std::initializer_list<absl::string_view> keys) {
  for (absl::string_view key : keys) expect_.mutable_fails()->add_missing_keys(Text(key));
  return *this;
}

ExpectationSaid& ExpectationSaid::NeverEnds() {
  expect_.mutable_never_ends();
  return *this;
}

ExpectationSaid& ExpectationSaid::After(absl::Duration time) {
  expect_.set_takes(absl::FormatDuration(time));
  return *this;
}

// --- The scenario ---

FaultScenario::FaultScenario() {
  const testing::TestInfo& test = *testing::UnitTest::GetInstance()->current_test_info();
  scenario_.set_about(std::string(test.test_suite_name()) + " " + test.name());
}

void FaultScenario::TearDown() {
  if (!has_run_ && !HasFatalFailure()) RunNow();
}

void FaultScenario::GivenAServer() { scenario_.mutable_server(); }

WorkersSaid FaultScenario::GivenWorkers(int count) {
  fault::Workers* const group = scenario_.add_workers();
  group->set_count(count);
  return WorkersSaid(group);
}

FaultSaid FaultScenario::At(absl::Duration time) {
  fault::Fault* const fault = scenario_.add_faults();
  fault->set_at(absl::FormatDuration(time));
  return FaultSaid(fault);
}

FaultSaid FaultScenario::When(absl::string_view who, absl::string_view step_begins) {
  fault::Fault* const fault = scenario_.add_faults();
  fault->mutable_when()->set_who(Text(who));
  fault->mutable_when()->set_step(Text(step_begins));
  return FaultSaid(fault);
}

FaultSaid FaultScenario::WhenOver(absl::string_view who, absl::string_view step_ends) {
  FaultSaid said = When(who, step_ends);
  said.fault().mutable_when()->set_ends(true);
  return said;
}

FaultSaid FaultScenario::Always() { return FaultSaid(scenario_.add_faults()); }

ExpectationSaid FaultScenario::Expect(absl::string_view who, absl::string_view step) {
  fault::Expect* const expect = scenario_.add_expects();
  expect->set_who(Text(who));
  expect->set_step(Text(step));
  return ExpectationSaid(expect);
}

void FaultScenario::RunNow() {
  has_run_ = true;
  const std::vector<std::string> problems = fault::CheckScenario(scenario_);
  if (!problems.empty()) {
    ADD_FAILURE() << "this is no scenario:\n" << absl::StrJoin(problems, "\n");
    return;
  }
  fault::RunnerOptions options;
  const char* const seed = std::getenv("ROLLCALL_SEED");
  if (seed != nullptr && absl::SimpleAtoi(seed, &options.seeds.first)) options.seeds.count = 1;
  const fault::RunnerReport report = fault::RunSeeds(scenario_, fixtures_, options);
  for (const fault::SeedFailure& failure : report.failures) {
    const fault::Bundle bundle = fault::MakeBundle(scenario_, scenario_.about(),
                                                   scenario_.DebugString(), fixtures_, failure);
    ADD_FAILURE() << "seed " << failure.seed << ":\n"
                  << absl::StrJoin(failure.failures, "\n") << "\n\n"
                  << bundle.ladder << "\nagain: --test_env=ROLLCALL_SEED=" << failure.seed;
  }
}

}  // namespace rollcall
