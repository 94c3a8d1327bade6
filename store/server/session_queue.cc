#include "store/server/session_queue.h"

#include "glog/logging.h"

namespace rollcall {

void SessionQueue::Push(Session& session, absl::Time now) {
  DCHECK(session.queue_ == nullptr);
  session.queue_ = this;
  session.queued_at_ = now;
  session.previous_ = last_;
  session.next_ = nullptr;
  (last_ == nullptr ? first_ : last_->next_) = &session;
  last_ = &session;
  ++size_;
}

void SessionQueue::Remove(Session& session) {
  SessionQueue* const queue = session.queue_;
  if (queue == nullptr) return;
  (session.previous_ == nullptr ? queue->first_ : session.previous_->next_) = session.next_;
  (session.next_ == nullptr ? queue->last_ : session.next_->previous_) = session.previous_;
  session.queue_ = nullptr;
  --queue->size_;
}

}  // namespace rollcall
