// How much a server did in each of the last seconds.
#ifndef ROLLCALL_STORE_SERVER_THROUGHPUT_H_
#define ROLLCALL_STORE_SERVER_THROUGHPUT_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "absl/time/time.h"

namespace rollcall {

struct Work {
  uint64_t requests = 0;
  uint64_t received_bytes = 0;
  uint64_t sent_bytes = 0;

  Work& operator+=(const Work& other);
  Work& operator-=(const Work& other);
};

// Needs no timer: it is told the time and the totals before each piece of work, which costs a
// comparison unless a second has gone by. Not thread-safe.
class Throughput {
 public:
  static constexpr size_t kSecondsMax = 300;

  // What is counted from now on belongs to the second of `now`. `now` never goes backwards.
  void Advance(absl::Time now, const Work& totals) {
    if (now >= second_ends_) EndSeconds(now, totals);
  }

  // Whole seconds, oldest first, up to ends_at().
  std::vector<Work> Seconds() const;
  // A whole second.
  absl::Time ends_at() const { return second_ends_ - absl::Seconds(1); }

 private:
  void EndSeconds(absl::Time now, const Work& totals);
  void Push(const Work& second);

  absl::Time second_ends_ = absl::InfinitePast();
  Work totals_at_start_;
  std::vector<Work> seconds_;  // A ring once it is full.
  size_t oldest_ = 0;
};

// Adds `b`, whose last second ends at `b_ends`, to `a`, second by second; the result has the
// seconds of `a`.
void AddSeconds(absl::Time b_ends, const std::vector<Work>& b, absl::Time a_ends,
                std::vector<Work>& a);

}  // namespace rollcall

#endif  // ROLLCALL_STORE_SERVER_THROUGHPUT_H_
