// What ranks must see of an etcd cluster of three members of which one, or more, fails while they
// join, add and wait: a suite that runs on anything that keeps its state there.
//
//   INSTANTIATE_TEST_SUITE_P(Etcd, EtcdFaultSuite, testing::Values(EtcdFaultParam{...}),
//                            NameOfEtcdFaultParam);
#ifndef ROLLCALL_STORE_ETCD_ETCD_FAULT_SUITE_H_
#define ROLLCALL_STORE_ETCD_ETCD_FAULT_SUITE_H_

#include <functional>
#include <memory>
#include <ostream>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "fault_injection/recording_store.h"
#include "gtest/gtest.h"
#include "net/env.h"
#include "store/dist_error.h"
#include "store/store.h"
#include "testing/etcd_cluster.h"

namespace rollcall {

// What keeps its state in the cluster of one test.
class EtcdFaultSubject {
 public:
  virtual ~EtcdFaultSubject() = default;
  // A rank's own store; each with a time-out that is longer than an election.
  virtual std::unique_ptr<Store> Join(int rank) = 0;

  // --- Where etcd has no leader ---
  // How long a call is to be given so that it fails by itself.
  virtual absl::Duration time_to_fail() const { return absl::Seconds(5); }
  // What is said, wherever that is, of why it failed.
  virtual std::string WhyItFailed(const DistError& error) { return error.what(); }
  // The store that goes on afterwards.
  virtual std::unique_ptr<Store> GoOn(std::unique_ptr<Store> store, int /*rank*/) { return store; }
  // Returns when so many wait, where that can be known.
  virtual void AwaitWaiting(size_t /*ranks*/) {}
};

struct EtcdFaultParam {
  std::string name;
  std::function<std::unique_ptr<EtcdFaultSubject>(EtcdCluster& cluster)> new_subject;

  friend void PrintTo(const EtcdFaultParam& param, std::ostream* out) { *out << param.name; }
};

inline std::string NameOfEtcdFaultParam(const testing::TestParamInfo<EtcdFaultParam>& info) {
  return info.param.name;
}

class EtcdFaultSuite : public testing::TestWithParam<EtcdFaultParam> {
 protected:
  static constexpr int kRanks = 5;
  static constexpr int kRounds = 60;
  static constexpr int kAdds = kRanks * kRounds;

  EtcdFaultSuite();
  ~EtcdFaultSuite() override;

  net::Env& env() { return env_; }
  EtcdCluster& cluster() { return *cluster_; }
  EtcdFaultSubject& subject() { return *subject_; }
  Store& observer() { return *observer_; }

  void StartCluster(EtcdClusterOptions options = {});
  std::unique_ptr<Store> Join(int rank);
  size_t Leader();
  size_t Follower() { return (Leader() + 1) % cluster_->size(); }

  // Starts the ranks: each joins, leaves its address and waits for all others'; then kRounds times
  // adds to one counter and one text, sets and reads a key of its own, competes for a key, and
  // pushes and pops. Every call of them is written down.
  void StartRanks();
  // Until the ranks have added so often, all together.
  void AwaitAdds(int adds);
  void RestartMember(size_t member);
  // While the ranks work the others cannot reach this one, nor it them; then they can again, and
  // nothing is lost.
  void CutOffForAWhile(size_t member);
  // Joins the ranks and looks at what they left: each call of each must have been answered, and
  // everything be there, once. Then whether the history is linearizable.
  void ExpectNothingLost();

 private:
  void RunRank(int rank, Store& store);

  net::Env& env_;
  std::unique_ptr<EtcdCluster> cluster_;
  std::unique_ptr<EtcdFaultSubject> subject_;
  std::unique_ptr<Store> observer_;
  fault::HistoryRecorder recorder_;
  std::vector<std::unique_ptr<net::Thread>> ranks_;
};

}  // namespace rollcall

#endif  // ROLLCALL_STORE_ETCD_ETCD_FAULT_SUITE_H_
