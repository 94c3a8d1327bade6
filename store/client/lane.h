// Requests with numbers, by which a server that keeps a journal knows them again when they are sent
// a second time (FORMAT.md on sessions).
#ifndef ROLLCALL_STORE_CLIENT_LANE_H_
#define ROLLCALL_STORE_CLIENT_LANE_H_

#include <cstdint>
#include <memory>
#include <set>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "net/env.h"
#include "net/monitor.h"
#include "store/client/channel.h"

namespace rollcall::client {

// One session of the server's: it outlives the channels that it is used on, one at a time.
// Thread-safe.
class Lane {
 public:
  // `env` must outlive it.
  explicit Lane(net::Env& env);

  // The number of one request, from its first sending until its answer has come or nobody wants it
  // any more, which is when this is destroyed. One thread at a time.
  class Number {
   public:
    Number() = default;
    ~Number();
    Number(const Number&) = delete;
    Number& operator=(const Number&) = delete;

    // Whether the request is to have it on `channel`: its server keeps a journal, or one that did
    // may have applied it.
    bool IsNeededOn(const Channel& channel) const {
      return lane_ != nullptr || channel.keeps_journal();
    }
    // What is to be sent on `channel` before the request, in one piece with it. It may ask the
    // server first; what that fails with is the channel's, or IsSessionLost. Always of the same
    // lane, which must outlive this.
    absl::StatusOr<std::string> Head(Lane& lane, Channel& channel, absl::Time deadline);

   private:
    Lane* lane_ = nullptr;
    int64_t number_ = 0;   // 0: never sent.
    int incarnation_ = 0;  // Of the lane, when it was sent first.
  };

 private:
  absl::Status Enter(Channel& channel, absl::Time deadline);

  net::Env& env_;
  const std::unique_ptr<net::Monitor> monitor_;
  std::string name_ ABSL_GUARDED_BY(*monitor_);  // Empty: never used.
  // One more each time that the server did not know the session any more.
  int incarnation_ ABSL_GUARDED_BY(*monitor_) = 0;
  int64_t next_ ABSL_GUARDED_BY(*monitor_) = 1;
  std::set<int64_t> unanswered_ ABSL_GUARDED_BY(*monitor_);
};

// The server that has come back does not know whether it applied the request: it has lost its
// journal, or has been gone for too long. CONNECTION_LOST, and of no use to try again.
bool IsSessionLost(const absl::Status& status);

}  // namespace rollcall::client

#endif  // ROLLCALL_STORE_CLIENT_LANE_H_
