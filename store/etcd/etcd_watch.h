// Waiting for changes, told by etcd and not by asking again and again.
#ifndef ROLLCALL_STORE_ETCD_ETCD_WATCH_H_
#define ROLLCALL_STORE_ETCD_ETCD_WATCH_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "store/etcd/etcd.pb.h"
#include "store/etcd/etcd_session.h"

namespace rollcall::etcd {

// All that happens to some keys from a revision on: nothing is left out, whatever becomes of the
// member that tells it; another goes on where it ended. Not thread-safe.
class EtcdWatch {
 public:
  // `session` must outlive it. `call` is what it waits for, and till when.
  EtcdWatch(EtcdSession* session, EtcdCall call);
  ~EtcdWatch();

  // Before the first Next: tells of each time that the key is put. Returns the watch's number.
  size_t AddKey(const std::string& name, int64_t from_revision);
  // The same of all keys that begin with `beginning`.
  size_t AddAll(const std::string& beginning, int64_t from_revision);

  struct Change {
    size_t watch = 0;
    std::string value;
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

  EtcdSession& session_;
  const EtcdCall call_;
  std::vector<Watched> watched_;
  // Before stream_, which may still be writing to it.
  WatchResponse response_;
  EtcdClient::Opened opened_;
  absl::Time opened_at_;
  bool has_answered_ = false;  // The stream that is open.
  Attempts attempts_;
};

}  // namespace rollcall::etcd

#endif  // ROLLCALL_STORE_ETCD_ETCD_WATCH_H_
