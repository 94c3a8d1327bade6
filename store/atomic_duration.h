// A time-out that one thread sets while others read it.
#ifndef ROLLCALL_STORE_ATOMIC_DURATION_H_
#define ROLLCALL_STORE_ATOMIC_DURATION_H_

#include <atomic>
#include <cstdint>
#include <limits>

#include "absl/time/time.h"

namespace rollcall {

// Nanosecond resolution. absl::Duration itself is too wide to be atomic without a lock.
// Thread-safe.
class AtomicDuration {
 public:
  explicit AtomicDuration(absl::Duration value) { Set(value); }

  void Set(absl::Duration value) {
    nanoseconds_ = value == absl::InfiniteDuration() ? kForever : absl::ToInt64Nanoseconds(value);
  }
  absl::Duration Get() const {
    const int64_t nanoseconds = nanoseconds_;
    return nanoseconds == kForever ? absl::InfiniteDuration() : absl::Nanoseconds(nanoseconds);
  }

 private:
  static constexpr int64_t kForever = std::numeric_limits<int64_t>::max();
  std::atomic<int64_t> nanoseconds_;
};

}  // namespace rollcall

#endif  // ROLLCALL_STORE_ATOMIC_DURATION_H_
