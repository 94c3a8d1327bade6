// A run as a picture that people look at.
#ifndef ROLLCALL_FAULT_INJECTION_REPORT_SEQUENCE_SVG_H_
#define ROLLCALL_FAULT_INJECTION_REPORT_SEQUENCE_SVG_H_

#include <string>

#include "fault_injection/report/picture_content.h"
#include "fault_injection/report/run_record.h"

namespace rollcall::fault {

// SVG 1.1 without scripts. A lane for each host, time downwards: an arrow for each packet, slanted
// from where it was sent to where it arrived, with a cross where it was lost; brackets along the
// lanes for steps, bands for hosts that were cut off, paused or gone, lines across for faults.
// Titles hold what is cut short. Time has no scale of its own: much room where much happens, and a
// double stroke, with its length, where nothing does. Of runs beyond the limits it shows what
// surrounds faults and failures, and says what it leaves out. Equal records, equal bytes.
std::string SequenceSvg(const RunRecord& record, const PictureLimits& limits = {});

}  // namespace rollcall::fault

#endif  // ROLLCALL_FAULT_INJECTION_REPORT_SEQUENCE_SVG_H_
