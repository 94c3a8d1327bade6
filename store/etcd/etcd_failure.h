// What an etcd cluster's refusals mean, and the errors that a store's user gets of them.
#ifndef ROLLCALL_STORE_ETCD_ETCD_FAILURE_H_
#define ROLLCALL_STORE_ETCD_ETCD_FAILURE_H_

#include <atomic>
#include <map>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "net/backoff.h"
#include "store/dist_error.h"
#include "store/etcd/etcd_member.h"

namespace rollcall::etcd {

// One call of a store's user.
struct EtcdCall {
  std::string operation = {};          // "add"
  std::vector<std::string> keys = {};  // As the user named them.
  absl::Time started = {};
  absl::Time deadline = {};
  // It makes a change, so that after a lost answer nobody knows whether it was made.
  bool changes = false;
  // Where given, and once true, nothing more is tried. Must outlive the call.
  const std::atomic<bool>* is_given_up = nullptr;
};

enum class FailureKind {
  kNotConnected,   // Certainly not heard there.
  kNoLeader,       // The member has no leader to ask, or lost it meanwhile.
  kNoAnswer,       // Within the time that was left for it.
  kLost,           // Any other reason to ask another member: the answer may have been lost.
  kTokenExpired,   // Ask for a new one, then again.
  kRefused,        // User, password, permission.
  kLeaseNotFound,  //
  kNoSpace,
  kTooLarge,
  kOther,  // What no etcd v3 answers to what we ask.
};

// `status` is not OK.
FailureKind KindOf(const RpcStatus& status);

// Whether another member, or the same one later, may do better.
bool IsWorthAnother(FailureKind kind);

// What was tried so far for one call, and what came of it.
class Attempts {
 public:
  void Note(const std::string& endpoint, FailureKind kind, const RpcStatus& status,
            absl::Duration waited);
  int count() const { return count_; }
  // How long to wait before all members are asked once more. `random_bits` as in net::Backoff.
  absl::Duration NextPause(uint64_t random_bits) { return backoff_.Next(random_bits); }
  // A token was refused. How many were, this one included.
  int NoteToken() { return ++tokens_refused_; }
  // That it may have been applied although no answer came.
  bool is_uncertain() const { return is_uncertain_; }

  // The last attempt's time was all that was left, and nothing else had gone wrong.
  bool only_ran_out_of_time() const { return only_ran_out_of_time_; }

  // The error once time is up. REPLY_TIMEOUT if only_ran_out_of_time, ETCD_NO_LEADER if a member
  // said so, else ETCD_UNREACHABLE; each says what came of each member.
  absl::Status TimeUp(const EtcdCall& call, const std::string& peer, absl::Time now) const;
  // The error that `endpoint` gave, and that no other would answer otherwise.
  absl::Status Final(const EtcdCall& call, const std::string& peer, absl::Time now,
                     const std::string& endpoint, FailureKind kind, const RpcStatus& status) const;

 private:
  struct Tried {
    int count = 0;
    std::string last;
  };

  ErrorDetails Details(const EtcdCall& call, const std::string& peer, absl::Time now) const;
  std::string WhatIsUncertain(const EtcdCall& call) const;

  std::map<std::string, Tried> by_endpoint_;
  net::Backoff backoff_{{.multiplier = 2, .max = absl::Milliseconds(500)}};
  int count_ = 0;
  int tokens_refused_ = 0;
  bool is_uncertain_ = false;
  bool had_no_leader_ = false;
  bool only_ran_out_of_time_ = true;
};

// ETCD_LEASE_LOST.
absl::Status LeaseLostError(const EtcdCall& call, const std::string& peer, absl::Time now,
                            absl::string_view how);

}  // namespace rollcall::etcd

#endif  // ROLLCALL_STORE_ETCD_ETCD_FAILURE_H_
