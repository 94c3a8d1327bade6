// Where everything stands in the sequence picture of a run. Private to it.
#ifndef ROLLCALL_FAULT_INJECTION_REPORT_SEQUENCE_LAYOUT_H_
#define ROLLCALL_FAULT_INJECTION_REPORT_SEQUENCE_LAYOUT_H_

#include <cstddef>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "fault_injection/report/picture_content.h"
#include "fault_injection/report/run_record.h"
#include "fault_injection/report/time_scale.h"

namespace rollcall::fault {

// In pixels. A lane is a host's line; the column to the right of lane i has number i, and labels of
// what happens on a lane stand beside it.
class SequenceLayout {
 public:
  static constexpr int kCharWidth = 6;  // Of the monospaced labels.
  static constexpr int kHeaderHeight = 24;

  struct Step {
    size_t index = 0;  // In the record.
    int lane = 0;
    int depth = 0;         // How many steps of this host were under way when it began.
    int begin_item = 0;    // The place of its name.
    int end_item = kNone;  // That of its outcome; kNone: beside its name, or nowhere.
  };
  struct Message {
    size_t index = 0;
    int from_lane = 0;
    int to_lane = 0;
    int item = 0;
  };
  struct Band {
    size_t index = 0;  // In the content.
    int lane = 0;
    int depth = 0;
    int item = 0;
  };
  struct Row {
    size_t index = 0;  // In the record's faults, or in the content's omissions.
    absl::Duration at;
    int row = 0;
  };

  SequenceLayout(const RunRecord& record, const PictureContent& content);

  const std::vector<Step>& steps() const { return steps_; }
  const std::vector<Message>& messages() const { return messages_; }
  const std::vector<Band>& bands() const { return bands_; }
  const std::vector<Row>& faults() const { return faults_; }
  const std::vector<Row>& omissions() const { return omissions_; }
  // Where the names of the hosts are repeated.
  const TimeScale& scale() const { return scale_; }

  int lanes() const { return static_cast<int>(content_.hosts.size()); }
  int LaneOf(int host) const { return lane_of_host_[host]; }  // kNone: not drawn.
  int LaneX(int lane) const;
  // How far labels and arrows keep from a lane: there may be brackets.
  int OffsetOf(int lane) const;
  int top() const { return top_; }
  int width() const { return width_; }
  int column_width() const { return column_width_; }
  // The text's length that fits into a column beside `lane`, after `used` pixels.
  size_t CharsBeside(int lane, int used) const;

 private:
  void PlaceLanes();
  void AddRows();
  void AddSteps();
  void AddBands();
  void AddMessages();

  const RunRecord& record_;
  const PictureContent& content_;
  TimeScale scale_;
  std::vector<int> lane_of_host_;
  std::vector<int> depths_;  // By lane.
  std::vector<Step> steps_;
  std::vector<Message> messages_;
  std::vector<Band> bands_;
  std::vector<Row> faults_;
  std::vector<Row> omissions_;
  int column_width_ = 0;
  int top_ = 0;
  int width_ = 0;
};

}  // namespace rollcall::fault

#endif  // ROLLCALL_FAULT_INJECTION_REPORT_SEQUENCE_LAYOUT_H_
