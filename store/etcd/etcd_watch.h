// Waiting for changes, told by etcd and not by asking again and again.
#ifndef ROLLCALL_STORE_ETCD_ETCD_WATCH_H_
#define ROLLCALL_STORE_ETCD_ETCD_WATCH_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "net/monitor.h"
#include "store/etcd/etcd.pb.h"
#include "store/etcd/etcd_session.h"

namespace rollcall::etcd {

// All that happens to some keys from a revision on: nothing is left out, whatever becomes of the
// member that tells it; another goes on where it ended. Not thread-safe, but for Cancel.
class EtcdWatch {
 public:
  // `session` must outlive it. `call` is what it waits for, and till when.
  EtcdWatch(EtcdSession* session, EtcdCall call);
  ~EtcdWatch();

  // Before the first Next: tells of each time that the key is put. Returns the watch's number.
  size_t AddKey(const std::string& name, int64_t from_revision);
  // The same of all keys that begin with `beginning`.
  size_t AddAll(const std::string& beginning, int64_t from_revision);

  // The same of all names from `begin` to before `end`, and of each time that one is deleted.
  size_t AddRange(const std::string& begin, const std::string& end, int64_t from_revision);

  struct Change {
    enum Kind { kCreated, kChanged, kDeleted };
    size_t watch = 0;
    Kind kind = kChanged;
    std::string name;
    std::string value;
    std::string previous;  // What it held before; of AddRange, if etcd still knows.
    int64_t revision = 0;
  };
  enum class Outcome {
    kChanges,
    // What happened is not known any more: etcd has compacted its history. Read what is there now,
    // and watch from there with a new EtcdWatch.
    kForgotten,
    kTimeUp,
  };
  // Waits for the next changes, which go to `changes`. Errors: those of etcd_failure.h where no
  // member could be asked when time was up, and ETCD_LEASE_LOST as soon as the job's lease ends.
  absl::StatusOr<Outcome> Next(std::vector<Change>& changes);
  // From any thread: Next returns CANCELLED, now and from then on.
  void Cancel();

 private:
  struct Watched {
    WatchCreateRequest request;
    bool is_lease = false;
  };

  size_t Add(const std::string& name, int64_t from_revision);
  // Begins on the next member, and asks for everything. OK also where that has failed in a way that
  // is worth another try.
  absl::Status Begin();
  absl::StatusOr<Outcome> Take(const WatchResponse& response, std::vector<Change>& changes);
  // The stream has failed: the error, or OK to begin again.
  absl::Status GoOn(const RpcStatus& status);
  // Makes `stream` the one to be cancelled. False: there has been a Cancel before.
  bool Offer(EtcdStream* stream);

  EtcdSession& session_;
  const EtcdCall call_;
  std::vector<Watched> watched_;
  // Before stream_, which may still be writing to it.
  WatchResponse response_;
  EtcdClient::Opened opened_;
  absl::Time opened_at_;
  bool has_answered_ = false;  // The stream that is open.
  Attempts attempts_;

  const std::unique_ptr<net::Monitor> monitor_;
  bool is_cancelled_ ABSL_GUARDED_BY(*monitor_) = false;
  EtcdStream* offered_ ABSL_GUARDED_BY(*monitor_) = nullptr;
};

}  // namespace rollcall::etcd

#endif  // ROLLCALL_STORE_ETCD_ETCD_WATCH_H_
