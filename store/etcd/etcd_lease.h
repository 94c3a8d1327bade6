// The lease on which all keys of a job hang, so that they go when its last rank has gone.
#ifndef ROLLCALL_STORE_ETCD_ETCD_LEASE_H_
#define ROLLCALL_STORE_ETCD_ETCD_LEASE_H_

#include <cstdint>
#include <memory>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "net/env.h"
#include "net/monitor.h"
#include "store/etcd/etcd.pb.h"
#include "store/etcd/etcd_client.h"
#include "store/etcd/etcd_names.h"

namespace rollcall::etcd {

// The first rank has one made and writes it down under PREFIX/lease, in a transaction, so that of
// several that try only one does; everybody else finds it there. All of them keep it alive, so that
// it lasts as long as any of them; nobody revokes it.
//
// When it has ended all the same, the record is gone with everything else, and a later job may
// begin under the same prefix. No call may touch that one's keys: so each request to etcd asks in
// the same transaction whether the record is still the one that was joined (IsOurs). Thread-safe.
class EtcdLease {
 public:
  // Joins the job's lease, or makes one. `client` must outlive it.
  static absl::StatusOr<std::unique_ptr<EtcdLease>> Join(EtcdClient* client, const EtcdNames& names,
                                                         const EtcdCall& call);
  // Stops keeping it alive, and waits for nobody.
  ~EtcdLease();

  int64_t id() const { return id_; }
  // The condition of every transaction.
  const Compare& is_ours() const { return is_ours_; }
  const std::string& record() const { return record_; }
  // What it says where the condition does not hold, or the record was seen to go. ETCD_LEASE_LOST.
  absl::Status Lost(const EtcdCall& call, absl::string_view how);
  // ETCD_LEASE_LOST if it is known that it has ended.
  absl::Status Check(const EtcdCall& call);

 private:
  EtcdLease(EtcdClient* client, std::string record, int64_t id, int64_t create_revision,
            absl::Duration ttl);

  // Of the keeper's thread.
  void KeepAlive();
  // The time that it has left, from now on; zero if it has ended.
  absl::StatusOr<absl::Duration> Renew();

  EtcdClient& client_;
  const std::string record_;
  const int64_t id_;
  const Compare is_ours_;
  const absl::Duration ttl_;
  const std::unique_ptr<net::Monitor> monitor_;
  bool stops_ ABSL_GUARDED_BY(*monitor_) = false;
  bool lost_ ABSL_GUARDED_BY(*monitor_) = false;
  std::string how_ ABSL_GUARDED_BY(*monitor_);
  // What the keeper waits for at the moment.
  EtcdStream* renewal_ ABSL_GUARDED_BY(*monitor_) = nullptr;
  std::unique_ptr<net::Thread> keeper_;
};

}  // namespace rollcall::etcd

#endif  // ROLLCALL_STORE_ETCD_ETCD_LEASE_H_
