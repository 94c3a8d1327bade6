#include "fault_injection/report/time_scale.h"

#include <algorithm>

namespace rollcall::fault {
namespace {

// From here on a stretch is cut short, visibly.
constexpr absl::Duration kBreakMin = absl::Milliseconds(100);
constexpr int kBreakHeight = 40;
constexpr int kMarginHeight = 7;

// What a stretch without a break looks like: longer for each power of ten.
int StretchHeight(absl::Duration length) {
  int height = 8;
  for (absl::Duration unit = absl::Microseconds(10); unit <= length && height < 24; unit *= 10) {
    height += 4;
  }
  return height;
}

}  // namespace

int TimeScale::AddItem(absl::Duration at, int column) { return moments_[at].items[column]++; }

void TimeScale::Place(int top) {
  int y = top;
  const Moment* last = nullptr;
  absl::Duration last_at;
  for (auto& [at, moment] : moments_) {
    if (last != nullptr) {
      const int drawn = HeightOf(*last);
      if (at - last_at >= kBreakMin) {
        breaks_.push_back({last_at, at, y + drawn + kBreakHeight / 2});
        y += drawn + kBreakHeight;
      } else {
        y += std::max(drawn, StretchHeight(at - last_at));
      }
    }
    moment.y = y;
    last = &moment;
    last_at = at;
  }
  bottom_ = y + (last == nullptr ? 0 : HeightOf(*last));
}

int TimeScale::HeightOf(const Moment& moment) {
  int items = 0;
  for (const auto& [column, count] : moment.items) items = std::max(items, count);
  return moment.rows * kRowHeight + items * kItemHeight + kMarginHeight;
}

int TimeScale::Y(absl::Duration at) const {
  const Moment& moment = moments_.at(at);
  return moment.y + moment.rows * kRowHeight;
}

std::vector<absl::Duration> TimeScale::moments() const {
  std::vector<absl::Duration> all;
  for (const auto& [at, moment] : moments_) all.push_back(at);
  return all;
}

}  // namespace rollcall::fault
