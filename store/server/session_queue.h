// Sessions in the order in which they came in, so that one timer serves them all.
#ifndef ROLLCALL_STORE_SERVER_SESSION_QUEUE_H_
#define ROLLCALL_STORE_SERVER_SESSION_QUEUE_H_

#include <cstddef>

#include "absl/time/time.h"
#include "store/server/session.h"

namespace rollcall {

// An intrusive list: each operation takes constant time and no memory. A session is in one queue at
// most, and must leave it before it dies.
class SessionQueue {
 public:
  SessionQueue() = default;
  SessionQueue(const SessionQueue&) = delete;
  SessionQueue& operator=(const SessionQueue&) = delete;

  bool Has(const Session& session) const { return session.queue_ == this; }
  // The session must be in no queue. `now` must not be earlier than at the push before.
  void Push(Session& session, absl::Time now);
  // Takes the session out of the queue that it is in, if any.
  static void Remove(Session& session);

  size_t size() const { return size_; }
  Session* front() const { return first_; }                     // nullptr if empty.
  absl::Time front_time() const { return first_->queued_at_; }  // Not if empty.

 private:
  Session* first_ = nullptr;
  Session* last_ = nullptr;
  size_t size_ = 0;
};

}  // namespace rollcall

#endif  // ROLLCALL_STORE_SERVER_SESSION_QUEUE_H_
