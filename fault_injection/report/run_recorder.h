// Writes down a run as it happens.
//
//   RunRecorder recorder(options.start);
//   options.trace = &recorder;
//   World world(options);
//   SimNet net(&world);
//   net.SetObserver(&recorder);
//   ...
//   const RunRecord record = recorder.Finish(world.Now());
#ifndef ROLLCALL_FAULT_INJECTION_REPORT_RUN_RECORDER_H_
#define ROLLCALL_FAULT_INJECTION_REPORT_RUN_RECORDER_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "fault_injection/net_observer.h"
#include "fault_injection/report/message_labels.h"
#include "fault_injection/report/run_record.h"
#include "fault_injection/trace.h"

namespace rollcall::fault {

struct RunRecorderOptions {
  // Beyond them the oldest are dropped: of a run that goes wrong the end matters.
  size_t waits_max = 100'000;
  size_t messages_max = 100'000;
  size_t notes_max = 100'000;
};

// A step that has begun.
using StepId = size_t;
// A band that has begun.
using BandId = size_t;

// Changes nothing in the run. Belongs to the world's OS thread. Times are the world's.
class RunRecorder final : public TraceSink, public NetObserver {
 public:
  // `start`: when the world begins (WorldOptions::start).
  explicit RunRecorder(absl::Time start, RunRecorderOptions options = {});

  // Hosts stand in the pictures in the order in which they are added, and after them those of which
  // something was heard, in that order. Adding one twice has no effect.
  void AddHost(absl::string_view host);

  // --- What a scenario's runner knows ---
  // The running fiber of `host` begins `name` ("get /a"). A step whose fiber ends before EndStep is
  // shown as not over. Steps of one fiber lie within each other or apart.
  StepId BeginStep(absl::Time now, absl::string_view host, absl::string_view name);
  // `outcome`: "3", "WAIT_TIMEOUT"; may be empty if it is ok.
  void EndStep(absl::Time now, StepId step, bool is_ok, absl::string_view outcome);
  // A fault that the network does not tell of itself: a pause, a kill, a slower disk.
  void NoteFault(absl::Time now, absl::string_view text, absl::Span<const std::string> hosts);
  // `host`, or with `peer` the way from `host` to it, is `what` ("paused") from now on. Those of
  // SimNet's own faults (cut, unreachable, black hole, exit, crash, refuse) begin and end by
  // themselves.
  BandId BeginBand(absl::Time now, absl::string_view host, absl::string_view peer,
                   absl::string_view what);
  void EndBand(absl::Time now, BandId band);
  void SetTitle(absl::string_view title);
  void SetVerdict(absl::string_view verdict);

  // --- The end ---
  // What is not over ends now. The recorder is empty afterwards, and of no more use.
  RunRecord Finish(absl::Time now);

  // --- TraceSink, NetObserver ---
  void OnEvent(const TraceEvent& event) override;
  void OnPacket(const NetPacket& packet) override;
  void OnFault(const NetFault& fault) override;

 private:
  struct FiberState {
    bool is_blocked = false;
    absl::Duration blocked_since;
    std::string waits_for;
    std::vector<StepId> open_steps;
  };

  absl::Duration Since(absl::Time now) const { return now - start_; }
  int HostIndex(absl::string_view host);
  int FiberIndex(absl::string_view actor, absl::Duration now);
  void EndWait(int fiber, absl::Duration now, absl::string_view ended_by);
  void EndFiber(int fiber, absl::Duration now, absl::string_view how);
  void NoteBands(const NetFault& fault);
  void EndBandsOf(absl::Duration now, int host, int peer,
                  absl::Span<const absl::string_view> whats);
  void MarkDropped(const NetFault& fault);

  const absl::Time start_;
  const RunRecorderOptions options_;
  RunRecord record_;
  MessageLabels labels_;
  std::map<std::string, int> host_of_name_;
  std::map<std::string, int> fiber_of_actor_;  // The latest of that name.
  std::vector<FiberState> fiber_states_;       // As record_.fibers.
  int running_ = kNone;
};

}  // namespace rollcall::fault

#endif  // ROLLCALL_FAULT_INJECTION_REPORT_RUN_RECORDER_H_
