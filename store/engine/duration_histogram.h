// How long things took, in a few buckets.
#ifndef ROLLCALL_STORE_ENGINE_DURATION_HISTOGRAM_H_
#define ROLLCALL_STORE_ENGINE_DURATION_HISTOGRAM_H_

#include <array>
#include <cstddef>
#include <cstdint>

#include "absl/time/time.h"
#include "absl/types/span.h"

namespace rollcall::engine {

// Serving a request takes microseconds; whatever takes longer than a second is a stall.
inline constexpr std::array<absl::Duration, 13> kServingTimes = {
    absl::Microseconds(10),  absl::Microseconds(20),  absl::Microseconds(50),
    absl::Microseconds(100), absl::Microseconds(200), absl::Microseconds(500),
    absl::Milliseconds(1),   absl::Milliseconds(2),   absl::Milliseconds(5),
    absl::Milliseconds(10),  absl::Milliseconds(100), absl::Seconds(1),
    absl::Seconds(10)};
// Waiting for a rank takes what that rank takes.
inline constexpr std::array<absl::Duration, 13> kWaitingTimes = {
    absl::Milliseconds(1), absl::Milliseconds(10), absl::Milliseconds(100), absl::Seconds(1),
    absl::Seconds(2),      absl::Seconds(5),       absl::Seconds(10),       absl::Seconds(30),
    absl::Minutes(1),      absl::Minutes(2),       absl::Minutes(5),        absl::Minutes(10),
    absl::Minutes(30)};
// Writing to a disk for good takes a tenth of a millisecond, or as long as the disk is busy.
inline constexpr std::array<absl::Duration, 13> kCommitTimes = {
    absl::Microseconds(100), absl::Microseconds(200), absl::Microseconds(500),
    absl::Milliseconds(1),   absl::Milliseconds(2),   absl::Milliseconds(5),
    absl::Milliseconds(10),  absl::Milliseconds(20),  absl::Milliseconds(50),
    absl::Milliseconds(100), absl::Milliseconds(500), absl::Seconds(2),
    absl::Seconds(10)};

// A value type. Not thread-safe.
class DurationHistogram {
 public:
  static constexpr size_t kBoundsMax = 13;

  // `*bounds` must be ascending and outlive it.
  explicit DurationHistogram(const std::array<absl::Duration, kBoundsMax>* bounds)
      : bounds_(bounds) {}

  size_t BucketOf(absl::Duration duration) const {
    size_t bucket = 0;
    while (bucket < kBoundsMax && duration > (*bounds_)[bucket]) ++bucket;
    return bucket;
  }
  void Observe(absl::Duration duration) { Observe(duration, BucketOf(duration)); }
  // For many of one duration: `bucket` is its BucketOf.
  void Observe(absl::Duration duration, size_t bucket) {
    ++counts_[bucket];
    sum_ += duration;
  }
  void MergeFrom(const DurationHistogram& other) {
    for (size_t i = 0; i < counts_.size(); ++i) counts_[i] += other.counts_[i];
    sum_ += other.sum_;
  }

  absl::Span<const absl::Duration> bounds() const { return *bounds_; }
  // By bound: how many took at most so long, and longer than the bound before. One more at the end
  // for those that took longer than all.
  absl::Span<const uint64_t> counts() const { return counts_; }
  absl::Duration sum() const { return sum_; }

 private:
  const std::array<absl::Duration, kBoundsMax>* bounds_;
  std::array<uint64_t, kBoundsMax + 1> counts_ = {};
  absl::Duration sum_;
};

}  // namespace rollcall::engine

#endif  // ROLLCALL_STORE_ENGINE_DURATION_HISTOGRAM_H_
