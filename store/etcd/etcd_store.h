// A Store in an etcd cluster, which others keep well: it goes on while more than half of the
// members do, and needs no server of ours.
#ifndef ROLLCALL_STORE_ETCD_ETCD_STORE_H_
#define ROLLCALL_STORE_ETCD_ETCD_STORE_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "net/env.h"
#include "store/atomic_duration.h"
#include "store/etcd/etcd_options.h"
#include "store/store.h"

namespace rollcall {

namespace etcd {
class EtcdSession;
struct EtcdCall;
}  // namespace etcd

// Every call is answered: unlike TcpStore, a write that has returned is on the disks of more than
// half of the members. Each operation is linearizable; of those on many keys, up to 100 keys are
// one moment, more are several. A wait costs nothing while it waits: etcd tells when the key comes.
// A change is made once, however often its request had to be sent; a call that fails may have made
// it, and then says so.
//
// The job's keys hang on a lease that its ranks keep alive, and go ttl after the last one: give
// each run of a job a prefix of its own. docs/etcd.md has the layout of the keys, what each
// operation costs, and what becomes of it when members fail.
//
// Besides what every Store raises: ETCD_UNREACHABLE, ETCD_NO_LEADER, ETCD_AUTH, ETCD_LEASE_LOST,
// ETCD_NO_SPACE, ETCD_REQUEST_TOO_LARGE, and REPLY_TIMEOUT where the time-out was shorter than
// etcd's answer took. A time-out of zero gives etcd timeout(), or five seconds where that is zero
// too, to say what is there.
class EtcdStore : public Store {
 public:
  // Joins the job, or begins it. `env` must be of the real world (gRPC has threads and sockets of
  // its own) and outlive the store and its clones. InvalidArgument for impossible options.
  static absl::StatusOr<std::unique_ptr<EtcdStore>> Open(net::Env& env, EtcdOptions options);
  ~EtcdStore() override;

  using Store::Barrier;
  using Store::Get;
  using Store::QueuePop;
  using Store::Wait;

  void Set(absl::string_view key, absl::string_view value) override;
  std::string CompareSet(absl::string_view key, absl::string_view expected,
                         absl::string_view desired) override;
  std::string Get(absl::string_view key, absl::Duration timeout) override;
  int64_t Add(absl::string_view key, int64_t delta) override;
  bool Check(absl::Span<const std::string> keys) override;
  void Wait(absl::Span<const std::string> keys, absl::Duration timeout) override;
  bool DeleteKey(absl::string_view key) override;
  int64_t NumKeys() override;
  bool HasExtendedApi() const override { return true; }
  void Append(absl::string_view key, absl::string_view value) override;
  std::vector<std::string> MultiGet(absl::Span<const std::string> keys) override;
  void MultiSet(absl::Span<const std::string> keys, absl::Span<const std::string> values) override;
  void QueuePush(absl::string_view key, absl::string_view value) override;
  std::string QueuePop(absl::string_view key, bool block, absl::Duration timeout) override;
  int64_t QueueLen(absl::string_view key) override;
  std::vector<std::string> ListKeys() override;
  void Barrier(absl::string_view key, int64_t world_size, absl::Duration timeout) override;
  absl::Duration timeout() const override;
  void SetTimeout(absl::Duration timeout) override;
  // Shares connections and standing in the job.
  std::unique_ptr<Store> Clone() override;
  std::string Describe() const override;

 private:
  EtcdStore(std::shared_ptr<etcd::EtcdSession> session, absl::Duration timeout);

  etcd::EtcdCall Begin(absl::string_view operation, std::vector<std::string> keys) const;

  const std::shared_ptr<etcd::EtcdSession> session_;
  AtomicDuration timeout_;
};

}  // namespace rollcall

#endif  // ROLLCALL_STORE_ETCD_ETCD_STORE_H_
