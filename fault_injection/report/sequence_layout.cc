#include "fault_injection/report/sequence_layout.h"

#include <algorithm>

namespace rollcall::fault {
namespace {

constexpr int kTimesWidth = 96;  // The times, to the left of the first lane.
constexpr int kTopHeight = 86;   // Title, verdict and names of the hosts.
constexpr int kWidthMin = 680;
constexpr int kBracketWidth = 9;

// The first depth at which nothing is left of what began earlier.
int DepthAt(absl::Duration begin, absl::Duration end, std::vector<absl::Duration>& busy_until) {
  const auto free = std::find_if(busy_until.begin(), busy_until.end(),
                                 [&](absl::Duration until) { return until <= begin; });
  const int depth = static_cast<int>(free - busy_until.begin());
  if (free == busy_until.end()) busy_until.push_back(end);
  busy_until[depth] = end;
  return depth;
}

}  // namespace

SequenceLayout::SequenceLayout(const RunRecord& record, const PictureContent& content)
    : record_(record), content_(content) {
  PlaceLanes();
  scale_.AddMoment(absl::ZeroDuration());
  scale_.AddMoment(record.end);
  AddRows();
  AddSteps();
  AddBands();
  AddMessages();
  scale_.Place(top_);
}

void SequenceLayout::PlaceLanes() {
  lane_of_host_.assign(record_.hosts.size(), kNone);
  for (int lane = 0; lane < lanes(); ++lane) lane_of_host_[content_.hosts[lane]] = lane;
  depths_.assign(content_.hosts.size(), 1);
  column_width_ = lanes() <= 2    ? 270
                  : lanes() <= 3  ? 240
                  : lanes() <= 5  ? 200
                  : lanes() <= 10 ? 160
                                  : 136;
  top_ = kTopHeight;
  width_ = std::max(kWidthMin, kTimesWidth + 28 + lanes() * column_width_);
}

int SequenceLayout::LaneX(int lane) const { return kTimesWidth + 28 + lane * column_width_; }

int SequenceLayout::OffsetOf(int lane) const { return depths_[lane] * kBracketWidth; }

size_t SequenceLayout::CharsBeside(int lane, int used) const {
  const int room = column_width_ - used - (lane < 0 ? 0 : OffsetOf(lane)) - 14;
  return static_cast<size_t>(std::max(room, 0) / kCharWidth);
}

void SequenceLayout::AddRows() {
  for (const size_t index : content_.faults) {
    const absl::Duration at = record_.faults[index].at;
    faults_.push_back({index, at, scale_.AddRow(at)});
  }
  for (size_t i = 0; i < content_.omissions.size(); ++i) {
    const absl::Duration at = content_.omissions[i].begin;
    omissions_.push_back({i, at, scale_.AddRow(at)});
  }
}

void SequenceLayout::AddSteps() {
  std::vector<std::vector<absl::Duration>> busy_until(content_.hosts.size());
  for (const size_t index : content_.steps) {
    const RunRecord::Step& step = record_.steps[index];
    Step placed{.index = index, .lane = LaneOf(step.host)};
    placed.depth = DepthAt(step.begin, step.end, busy_until[placed.lane]);
    depths_[placed.lane] = std::max(depths_[placed.lane], placed.depth + 1);
    scale_.AddMoment(step.end);
    steps_.push_back(placed);
  }
  // Of one moment, first how the last step went, then what begins.
  for (Step& placed : steps_) {
    const RunRecord::Step& step = record_.steps[placed.index];
    if (step.end == step.begin || step.outcome.empty()) continue;
    placed.end_item = scale_.AddItem(step.end, placed.lane);
  }
  for (Step& placed : steps_) {
    placed.begin_item = scale_.AddItem(record_.steps[placed.index].begin, placed.lane);
  }
}

void SequenceLayout::AddBands() {
  std::vector<std::vector<absl::Duration>> busy_until(content_.hosts.size());
  for (size_t i = 0; i < content_.bands.size(); ++i) {
    const PictureBand& band = content_.bands[i];
    Band placed{.index = i, .lane = LaneOf(band.host)};
    placed.depth = DepthAt(band.begin, band.end, busy_until[placed.lane]);
    placed.item = scale_.AddItem(band.begin, placed.lane);
    scale_.AddMoment(band.end);
    bands_.push_back(placed);
  }
}

void SequenceLayout::AddMessages() {
  for (const size_t index : content_.messages) {
    const RunRecord::Message& message = record_.messages[index];
    Message placed{
        .index = index, .from_lane = LaneOf(message.from), .to_lane = LaneOf(message.to)};
    // Beside the sender, on the side to which it goes.
    const int column = placed.to_lane < placed.from_lane ? placed.from_lane - 1 : placed.from_lane;
    placed.item = scale_.AddItem(message.sent, column);
    scale_.AddMoment(message.ended);
    messages_.push_back(placed);
  }
}

}  // namespace rollcall::fault
