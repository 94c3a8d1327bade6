// A run as a picture of letters, for the output of a test that has failed.
#ifndef ROLLCALL_FAULT_INJECTION_REPORT_TEXT_LADDER_H_
#define ROLLCALL_FAULT_INJECTION_REPORT_TEXT_LADDER_H_

#include <string>

#include "fault_injection/report/picture_content.h"
#include "fault_injection/report/run_record.h"

namespace rollcall::fault {

constexpr PictureLimits kLadderLimits = {.hosts_max = 5, .items_max = 40, .faults_max = 10};

// A line for each packet, beginning and end of a step and fault, in the order of time; of runs
// beyond `limits` what surrounds faults and failures. `X`: lost on the way. ASCII, as long as the
// names in the record are. Equal records, equal bytes.
//
//               w0                        w1
//     0.000100  |<--------- ping ---------|
//     0.000200  |                         > get rank0
//     0.000360  * cut w0 -> w1            *
//     0.000360  |-- get: host0 lost --X   |
//            ~  30s
//    30.000200  |                         ! get rank0 = REPLY_TIMEOUT
std::string TextLadder(const RunRecord& record, const PictureLimits& limits = kLadderLimits);

}  // namespace rollcall::fault

#endif  // ROLLCALL_FAULT_INJECTION_REPORT_TEXT_LADDER_H_
