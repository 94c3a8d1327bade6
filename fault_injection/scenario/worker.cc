#include "fault_injection/scenario/worker.h"

#include <stdexcept>
#include <utility>

#include "absl/time/time.h"
#include "fault_injection/scenario/steps.h"
#include "store/dist_error.h"
#include "store/error_code.h"

namespace rollcall::fault {
namespace {

void SetError(const DistError& error, StepOutcome& outcome) {
  const ErrorCodeInfo& info = InfoOf(error.code());
  outcome.set_error_class(std::string(info.error_class));
  outcome.set_code(std::string(info.name));
  outcome.set_text(error.what());
  for (const int rank : error.details().missing_ranks) outcome.add_missing_ranks(rank);
  for (const std::string& key : error.details().missing_keys) outcome.add_missing_keys(key);
}

// What is caught is only written down here: nothing may block while an exception is handled.
void RunStep(StepRunner& runner, const Step& step, StepOutcome& outcome) {
  try {
    outcome.set_value(runner.Run(step));
    outcome.set_ok(true);
  } catch (const DistError& error) {
    SetError(error, outcome);
  } catch (const std::invalid_argument& error) {
    outcome.set_error_class("std::invalid_argument");
    outcome.set_code("INVALID_ARGUMENT");
    outcome.set_text(error.what());
  }
}

}  // namespace

void RunWorker(net::Env& env, const WorkerRole& role, const WorkerSituation& situation,
               const Fixtures& fixtures, HistoryRecorder* history, StepListener& listener) {
  const auto since_beginning = [&] {
    return absl::ToInt64Nanoseconds(env.Now() - situation.world_began);
  };
  StepRunner runner(env, role, situation, fixtures, history);
  for (int i = 0; i < role.group->steps_size(); ++i) {
    const Step& step = role.group->steps(i);
    StepOutcome outcome;
    outcome.set_who(role.host);
    outcome.set_life(situation.life);
    outcome.set_step(role.step_names[i]);
    outcome.set_operation(std::string(OperationOf(step)));
    outcome.set_began_ns(since_beginning());
    listener.OnBegin(outcome);
    // The listener may have held it up.
    outcome.set_began_ns(since_beginning());
    RunStep(runner, step, outcome);
    outcome.set_ended_ns(since_beginning());
    outcome.set_has_ended(true);
    listener.OnEnd(outcome);
    if (!outcome.ok() && !step.goes_on()) return;
  }
}

}  // namespace rollcall::fault
