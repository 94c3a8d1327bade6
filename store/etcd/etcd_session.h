// One store's standing in a job: its client, the job's lease, and writes that are made exactly
// once.
#ifndef ROLLCALL_STORE_ETCD_ETCD_SESSION_H_
#define ROLLCALL_STORE_ETCD_ETCD_SESSION_H_

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "net/backoff.h"
#include "net/env.h"
#include "net/monitor.h"
#include "store/etcd/etcd.pb.h"
#include "store/etcd/etcd_client.h"
#include "store/etcd/etcd_lease.h"
#include "store/etcd/etcd_names.h"

namespace rollcall::etcd {

// Every request is one transaction with the condition that the lease is still the job's.
//
// A write whose answer was lost must be sent again, and must not be made again. So each write also
// changes a key of the client's own, its slot, and has the condition that the slot is as the client
// last saw it: whichever copy of the request comes to etcd first is the only one that can succeed,
// even if another arrives after the call is long over. A copy that comes too late finds in the slot
// which attempt it was that succeeded. A slot serves one call at a time; there are as many as there
// ever were calls at the same time.
//
// Thread-safe.
class EtcdSession {
 public:
  // `is_given_up` is as in EtcdCall, and for the opening only.
  static absl::StatusOr<std::shared_ptr<EtcdSession>> Open(
      net::Env& env, EtcdOptions options, KeyStyle style = KeyStyle::kOfStore,
      const std::atomic<bool>* is_given_up = nullptr);
  // Removes the slots, if etcd takes no more than a second for that; what is left goes with the
  // lease.
  ~EtcdSession();

  net::Env& env() { return client_.env(); }
  EtcdClient& client() { return client_; }
  const EtcdNames& names() const { return names_; }
  EtcdLease& lease() { return *lease_; }

  // All of `reads` at one moment, as of `header().revision()`; their responses are in their order.
  absl::StatusOr<TxnResponse> Read(const EtcdCall& call, std::vector<RequestOp> reads);

  // A write, as far as it depends on what is there.
  struct Attempt {
    std::vector<Compare> conditions;
    std::vector<RequestOp> changes;
    // To be read where the conditions do not hold.
    std::vector<RequestOp> reads;
  };
  // What was read at that moment, in the order of Attempt::reads.
  struct Refusal {
    int64_t revision = 0;
    std::vector<RangeResponse> reads;
  };
  struct Written {
    int attempt = -1;  // The number of the one that was made, from 0; -1: none.
    int64_t revision = 0;
  };
  // Makes the attempts that `next` gives, until one succeeds or `next` returns false. It gets the
  // attempt's number, and the refusal of the one before (null for the first). At most kChangesMax
  // changes. Refusals happen without a cause that could be seen, too.
  absl::StatusOr<Written> Write(
      const EtcdCall& call,
      absl::FunctionRef<bool(int number, const Refusal* refusal, Attempt& attempt)> next);

  // A name that nobody else has.
  std::string NewName();

 private:
  struct Slot {
    std::string name;
    int64_t mod_revision = 0;  // 0: not there yet.
    int64_t writes = 0;
  };
  // Takes a slot, and puts it back.
  class Borrowed;

  EtcdSession(net::Env& env, EtcdOptions options, KeyStyle style);

  // Sends it once. True if it was made: then `written` is whole.
  absl::StatusOr<bool> Try(const EtcdCall& call, Slot& slot, int number, Attempt attempt,
                           Refusal& refusal, Written& written);
  absl::Status PauseAfterRefusal(const EtcdCall& call, int refusals, net::Backoff& backoff);

  EtcdClient client_;
  const EtcdNames names_;
  const std::string id_;
  std::unique_ptr<EtcdLease> lease_;
  const std::unique_ptr<net::Monitor> monitor_;
  int64_t slots_made_ ABSL_GUARDED_BY(*monitor_) = 0;
  int64_t names_made_ ABSL_GUARDED_BY(*monitor_) = 0;
  std::vector<std::unique_ptr<Slot>> free_slots_ ABSL_GUARDED_BY(*monitor_);
};

// etcd takes 128 operations in a transaction, unless it is told otherwise.
constexpr size_t kChangesMax = 100;
constexpr size_t kReadsMax = 100;

}  // namespace rollcall::etcd

#endif  // ROLLCALL_STORE_ETCD_ETCD_SESSION_H_
