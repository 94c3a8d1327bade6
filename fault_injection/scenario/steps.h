// What each kind of step calls.
#ifndef ROLLCALL_FAULT_INJECTION_SCENARIO_STEPS_H_
#define ROLLCALL_FAULT_INJECTION_SCENARIO_STEPS_H_

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "fault_injection/recording_store.h"
#include "fault_injection/scenario/cast.h"
#include "fault_injection/scenario/fixtures.h"
#include "fault_injection/scenario/scenario.pb.h"
#include "fault_injection/scenario/worker.h"
#include "net/env.h"
#include "store/collectives.h"
#include "store/server/store_server.h"
#include "store/store.h"
#include "store/tcp_store.h"

namespace rollcall::fault {

// The state of one worker between its steps. All that it is given must outlive it.
class StepRunner {
 public:
  StepRunner(net::Env& env, const WorkerRole& role, const WorkerSituation& situation,
             const Fixtures& fixtures, HistoryRecorder* history)
      : env_(env), role_(role), situation_(situation), fixtures_(fixtures), history_(history) {}

  // Returns the step's value as a text; raises what the call raises.
  std::string Run(const Step& step);

 private:
  absl::Duration TimeoutOf(const Step& step) const;
  // With {rank} and {world_size} filled in.
  std::string Filled(absl::string_view text) const;
  template <typename Texts>
  std::vector<std::string> AllFilled(const Texts& texts) const;
  std::vector<std::string> KeysOf(const Keys& keys) const;
  // Raises std::logic_error where the worker has not joined.
  Store& store();
  Collectives& collectives();

  void CloseLater(absl::Duration after);
  std::string RunOne(const Step& step);
  std::string RunJoin(const Join& join, absl::Duration timeout);
  std::unique_ptr<Store> OpenStore(const Join& join, absl::Duration timeout);
  std::string RunListen(const Listen& listen);
  std::string RaceToListen(const ServerOptions& options, int count);
  std::string RunOnStore(const Step& step);
  std::string RunOnQueue(const Step& step);
  std::string RunCollective(const Step& step);
  std::string RunMix(const Mix& mix, absl::Duration timeout);

  net::Env& env_;
  const WorkerRole& role_;
  const WorkerSituation& situation_;
  const Fixtures& fixtures_;
  HistoryRecorder* const history_;
  std::unique_ptr<StoreServer> server_;
  TcpStore* tcp_store_ = nullptr;  // At the bottom of store_; nullptr if that is none.
  std::shared_ptr<Store> store_;
  std::optional<Collectives> collectives_;
  // Joined after the step: not while its error is on its way, since joining may block.
  std::unique_ptr<net::Thread> closer_;
};

}  // namespace rollcall::fault

#endif  // ROLLCALL_FAULT_INJECTION_SCENARIO_STEPS_H_
