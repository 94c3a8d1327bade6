// Bands as a picture shows them.
#ifndef ROLLCALL_FAULT_INJECTION_REPORT_PICTURE_BANDS_H_
#define ROLLCALL_FAULT_INJECTION_REPORT_PICTURE_BANDS_H_

#include <vector>

#include "fault_injection/report/picture_content.h"
#include "fault_injection/report/run_record.h"

namespace rollcall::fault {

// Those of one lane, time and kind are one.
std::vector<PictureBand> MergeBands(const RunRecord& record);

}  // namespace rollcall::fault

#endif  // ROLLCALL_FAULT_INJECTION_REPORT_PICTURE_BANDS_H_
