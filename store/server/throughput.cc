#include "store/server/throughput.h"

#include <algorithm>

namespace rollcall {

Work& Work::operator+=(const Work& other) {
  requests += other.requests;
  received_bytes += other.received_bytes;
  sent_bytes += other.sent_bytes;
  return *this;
}

Work& Work::operator-=(const Work& other) {
  requests -= other.requests;
  received_bytes -= other.received_bytes;
  sent_bytes -= other.sent_bytes;
  return *this;
}

std::vector<Work> Throughput::Seconds() const {
  std::vector<Work> seconds(seconds_.begin() + static_cast<std::ptrdiff_t>(oldest_),
                            seconds_.end());
  seconds.insert(seconds.end(), seconds_.begin(),
                 seconds_.begin() + static_cast<std::ptrdiff_t>(oldest_));
  return seconds;
}

void Throughput::EndSeconds(absl::Time now, const Work& totals) {
  const absl::Time second = absl::FromUnixSeconds(absl::ToUnixSeconds(now));
  if (second_ends_ != absl::InfinitePast()) {
    Work done = totals;
    done -= totals_at_start_;
    Push(done);
    const int64_t idle = absl::ToInt64Seconds(second - second_ends_);
    for (int64_t i = 0; i < std::min<int64_t>(idle, kSecondsMax); ++i) Push({});
  }
  totals_at_start_ = totals;
  second_ends_ = second + absl::Seconds(1);
}

void Throughput::Push(const Work& second) {
  if (seconds_.size() < kSecondsMax) {
    seconds_.push_back(second);
    return;
  }
  seconds_[oldest_] = second;
  oldest_ = (oldest_ + 1) % kSecondsMax;
}

void AddSeconds(absl::Time b_ends, const std::vector<Work>& b, absl::Time a_ends,
                std::vector<Work>& a) {
  const int64_t behind = absl::ToInt64Seconds(a_ends - b_ends);
  for (size_t i = 0; i < a.size(); ++i) {
    const int64_t before_b_ends = static_cast<int64_t>(a.size() - i) - behind;
    if (before_b_ends < 1 || before_b_ends > static_cast<int64_t>(b.size())) continue;
    a[i] += b[b.size() - static_cast<size_t>(before_b_ends)];
  }
}

}  // namespace rollcall
