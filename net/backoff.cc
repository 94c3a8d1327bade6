#include "net/backoff.h"

#include <algorithm>

namespace rollcall::net {
namespace {

BackoffOptions InRange(BackoffOptions options) {
  options.initial = std::max(options.initial, absl::Nanoseconds(1));
  options.multiplier = std::max(options.multiplier, 1.0);
  options.max = std::max(options.max, options.initial);
  options.jitter = std::clamp(options.jitter, 0.0, 1.0);
  return options;
}

}  // namespace

Backoff::Backoff(const BackoffOptions& options)
    : options_(InRange(options)), base_(options_.initial) {}

absl::Duration Backoff::Next(uint64_t random_bits) {
  // The upper 53 bits, as many as a double holds: evenly in [0, 1).
  const double fraction = static_cast<double>(random_bits >> 11) * 0x1.0p-53;
  const absl::Duration base = base_;
  base_ = std::min(base_ * options_.multiplier, options_.max);
  return base * (1.0 - options_.jitter + 2.0 * options_.jitter * fraction);
}

}  // namespace rollcall::net
