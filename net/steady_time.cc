#include "net/steady_time.h"

#include <algorithm>

#include "absl/time/clock.h"

namespace rollcall::net {
namespace {

struct Anchor {
  absl::Time wall = absl::Now();
  std::chrono::steady_clock::time_point steady = std::chrono::steady_clock::now();
};

const Anchor& TheAnchor() {
  static const Anchor anchor;
  return anchor;
}

}  // namespace

absl::Time SteadyNow() {
  const Anchor& anchor = TheAnchor();
  return anchor.wall + absl::FromChrono(std::chrono::steady_clock::now() - anchor.steady);
}

std::chrono::steady_clock::time_point SteadyPoint(absl::Time time) {
  const absl::Duration from_now =
      std::clamp(time - SteadyNow(), absl::ZeroDuration(), absl::Hours(24));
  return std::chrono::steady_clock::now() +
         absl::ToChronoNanoseconds(absl::Ceil(from_now, absl::Nanoseconds(1)));
}

}  // namespace rollcall::net
