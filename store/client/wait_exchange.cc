#include "store/client/wait_exchange.h"

#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "store/client/call.h"
#include "store/protocol/reply.h"

namespace rollcall::client {
namespace {

class Wait {
 public:
  Wait(net::Clock& clock, Channel& channel, const WaitPlan& plan, WaitGate* gate)
      : clock_(clock),
        channel_(channel),
        plan_(plan),
        gate_(gate),
        census_due_(plan.checks != nullptr) {}

  absl::StatusOr<WaitResult> Run() {
    absl::Status sent = plan_.get.empty()
                            ? channel_.Send(plan_.request, plan_.deadline)
                            : channel_.Send(absl::StrCat(plan_.get, plan_.request), plan_.deadline);
    if (!sent.ok()) {
      if (!IsTimeout(sent)) return sent;
      return Ended(WaitOutcome::kTimedOut);
    }
    if (!plan_.get.empty()) {
      channel_.OweText();
      absl::StatusOr<std::string> value = channel_.ReceiveOwedText(plan_.deadline);
      if (!value.ok()) {
        if (!IsTimeout(value.status())) return value.status();
        Cancel();
        return Ended(WaitOutcome::kTimedOut);
      }
      if (!value->empty()) return Found(*std::move(value));
    }
    return AwaitSignal();
  }

 private:
  // The key was there when the get was answered: the wait behind it has ended too, unless the key
  // was deleted in between.
  absl::StatusOr<WaitResult> Found(std::string value) {
    if (channel_.has_unread()) {
      const absl::StatusOr<uint8_t> signal = channel_.ReceiveSignal(plan_.deadline);
      if (!signal.ok()) return signal.status();
      if (*signal != protocol::kStopWaiting) return WrongSignal(*signal);
    } else {
      // Its end has not come with the value. Nobody waits to see whether it will.
      Cancel();
    }
    WaitResult result = Ended(WaitOutcome::kReleased);
    result.value = std::move(value);
    return result;
  }

  absl::StatusOr<WaitResult> AwaitSignal() {
    while (true) {
      const absl::Time until = census_due_ ? plan_.census_at : plan_.deadline;
      if (gate_ != nullptr) gate_->Open();
      const absl::StatusOr<uint8_t> signal = channel_.ReceiveSignal(until);
      const bool preempted = gate_ != nullptr && gate_->Close();
      if (signal.ok()) return Answered(*signal, preempted);
      if (!IsTimeout(signal.status())) return signal.status();
      if (preempted) {
        channel_.OweCancelAnswer();
        return Ended(clock_.Now() < plan_.deadline ? WaitOutcome::kPreempted
                                                   : WaitOutcome::kTimedOut);
      }
      if (!census_due_) {
        Cancel();
        return Ended(WaitOutcome::kTimedOut);
      }
      census_due_ = false;
      absl::StatusOr<std::optional<WaitOutcome>> outcome = TakeCensus();
      if (!outcome.ok()) return outcome.status();
      if (outcome->has_value()) return Ended(**outcome);
    }
  }

  absl::StatusOr<WaitResult> Answered(uint8_t signal, bool preempted) {
    if (signal == protocol::kStopWaiting) {
      if (preempted) channel_.OweCancelAnswer();
      return Ended(WaitOutcome::kReleased);
    }
    if (signal == protocol::kWaitCanceled && preempted) return Ended(WaitOutcome::kPreempted);
    return WrongSignal(signal);
  }

  absl::Status WrongSignal(uint8_t signal) {
    channel_.Break();
    return absl::DataLossError(absl::StrCat("the server answered a wait with byte ", int{signal}));
  }

  // Nobody waits for the answer: the next user of the channel reads past it.
  void Cancel() {
    // No time is left, so the kernel takes the one byte at once or the channel is given up.
    if (plan_.cancel.empty() || !channel_.SendFromOutside(plan_.cancel).ok()) {
      channel_.Break();
      return;
    }
    channel_.OweCancelAnswer();
  }

  // An outcome if the wait is over, none if it goes on.
  absl::StatusOr<std::optional<WaitOutcome>> TakeCensus() {
    const std::string census = absl::StrCat(plan_.cancel, plan_.checks(), plan_.request);
    if (absl::Status sent = channel_.Send(census, plan_.deadline); !sent.ok()) {
      if (!IsTimeout(sent)) return sent;
      return WaitOutcome::kTimedOut;
    }
    // A server that was silent may owe the answers of earlier waits still; they come first.
    const size_t earlier = channel_.owed();
    channel_.OweCancelAnswer();
    channel_.OweSignals(plan_.census_keys);
    bool released = false;
    std::vector<bool> missing;
    for (size_t i = 0; i < earlier + 1 + plan_.census_keys; ++i) {
      const absl::StatusOr<uint8_t> answer = channel_.ReceiveOwed(plan_.deadline);
      if (!answer.ok()) {
        if (!IsTimeout(answer.status())) return answer.status();
        Cancel();
        return released ? WaitOutcome::kReleased : WaitOutcome::kTimedOut;
      }
      if (i == earlier) {
        released = *answer == protocol::kStopWaiting;
      } else if (i > earlier) {
        missing.push_back(*answer != protocol::kReady);
      }
    }
    if (released) {
      Cancel();
      return WaitOutcome::kReleased;
    }
    missing_ = std::move(missing);
    return std::nullopt;
  }

  WaitResult Ended(WaitOutcome outcome) {
    return {.outcome = outcome, .missing = std::move(missing_), .value = {}};
  }

  net::Clock& clock_;
  Channel& channel_;
  const WaitPlan& plan_;
  WaitGate* const gate_;
  bool census_due_;
  std::vector<bool> missing_;
};

}  // namespace

absl::StatusOr<WaitResult> RunWait(net::Clock& clock, Channel& channel, const WaitPlan& plan,
                                   WaitGate* gate) {
  return Wait(clock, channel, plan, gate).Run();
}

}  // namespace rollcall::client
