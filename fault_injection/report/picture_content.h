// What of a run is drawn: all of a small one; of a large one what surrounds its faults and
// failures.
#ifndef ROLLCALL_FAULT_INJECTION_REPORT_PICTURE_CONTENT_H_
#define ROLLCALL_FAULT_INJECTION_REPORT_PICTURE_CONTENT_H_

#include <cstddef>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "fault_injection/report/run_record.h"

namespace rollcall::fault {

struct PictureLimits {
  size_t hosts_max = 20;
  size_t items_max = 260;  // Messages, and beginnings and ends of steps.
  size_t faults_max = 40;
};

// A band on a lane. Cuts of links are on the lane of the host that has more of them, so that one
// host that was cut off from all others is one band, and not one on each of them.
struct PictureBand {
  int host = kNone;
  absl::Duration begin;
  absl::Duration end;
  std::string text;  // "cut off from w0, w1"
  bool is_link = false;
};

struct PictureContent {
  // Of what happened from `begin` to `end`, so much is not drawn.
  struct Omission {
    absl::Duration begin;
    absl::Duration end;
    size_t messages = 0;
    size_t steps = 0;
  };

  std::vector<int> hosts;  // From left to right.
  std::vector<size_t> messages;
  std::vector<size_t> steps;
  std::vector<size_t> faults;
  std::vector<PictureBand> bands;
  std::vector<Omission> omissions;
  std::vector<std::string> remarks;  // Sentences on what is not drawn at all.
};

// "left out: 20 messages and 8 steps until 0.000200 s".
std::string OmissionText(const PictureContent::Omission& omission);

// Delivered SYN-ACKs and ACKs are never drawn: the SYN and what follows say it.
PictureContent ChoosePicture(const RunRecord& record, const PictureLimits& limits = {});

}  // namespace rollcall::fault

#endif  // ROLLCALL_FAULT_INJECTION_REPORT_PICTURE_CONTENT_H_
