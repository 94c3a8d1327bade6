// Another time-out for a while.
#ifndef ROLLCALL_STORE_SCOPED_TIMEOUT_H_
#define ROLLCALL_STORE_SCOPED_TIMEOUT_H_

#include "absl/time/time.h"
#include "store/store.h"

namespace rollcall {

// Sets the store's time-out and puts the old one back, whatever happens in between. The store must
// outlive it; its other threads see the time-out too.
class ScopedTimeout {
 public:
  ScopedTimeout(Store& store, absl::Duration timeout) : store_(store), before_(store.timeout()) {
    store_.SetTimeout(timeout);
  }
  ~ScopedTimeout() { store_.SetTimeout(before_); }
  ScopedTimeout(const ScopedTimeout&) = delete;
  ScopedTimeout& operator=(const ScopedTimeout&) = delete;

 private:
  Store& store_;
  const absl::Duration before_;
};

}  // namespace rollcall

#endif  // ROLLCALL_STORE_SCOPED_TIMEOUT_H_
