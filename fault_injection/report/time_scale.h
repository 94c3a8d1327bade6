// Where a moment stands in a picture whose time runs downwards: as much room as is drawn there, and
// little for long stretches in which nothing happens.
#ifndef ROLLCALL_FAULT_INJECTION_REPORT_TIME_SCALE_H_
#define ROLLCALL_FAULT_INJECTION_REPORT_TIME_SCALE_H_

#include <map>
#include <vector>

#include "absl/time/time.h"

namespace rollcall::fault {

// First tell what there is at each moment, then Place(), then ask. Whole pixels only, so that each
// machine gives the same picture.
class TimeScale {
 public:
  static constexpr int kRowHeight = 17;
  static constexpr int kItemHeight = 14;

  // Between `from` and `to` nothing is drawn.
  struct Break {
    absl::Duration from;
    absl::Duration to;
    int y = 0;
  };

  // --- Before Place ---
  void AddMoment(absl::Duration at) { moments_[at]; }
  // A row across the whole picture; its number among those of this moment.
  int AddRow(absl::Duration at) { return moments_[at].rows++; }
  // A place for a label in `column`; its number among those of this moment and column.
  int AddItem(absl::Duration at, int column);

  void Place(int top);

  // --- After it, for moments that were added ---
  int Top(absl::Duration at) const { return moments_.at(at).y; }
  // The middle of a row.
  int RowY(absl::Duration at, int row) const { return Top(at) + row * kRowHeight + kRowHeight / 2; }
  // Below all rows; and of an item, its base line.
  int Y(absl::Duration at) const;
  int ItemY(absl::Duration at, int item) const { return Y(at) + (item + 1) * kItemHeight; }
  int bottom() const { return bottom_; }
  const std::vector<Break>& breaks() const { return breaks_; }
  // All moments, in order.
  std::vector<absl::Duration> moments() const;

 private:
  struct Moment {
    int rows = 0;
    std::map<int, int> items;  // By column.
    int y = 0;
  };

  static int HeightOf(const Moment& moment);

  std::map<absl::Duration, Moment> moments_;
  std::vector<Break> breaks_;
  int bottom_ = 0;
};

}  // namespace rollcall::fault

#endif  // ROLLCALL_FAULT_INJECTION_REPORT_TIME_SCALE_H_
