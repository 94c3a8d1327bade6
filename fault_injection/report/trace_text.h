// A run as lines that people read.
#ifndef ROLLCALL_FAULT_INJECTION_REPORT_TRACE_TEXT_H_
#define ROLLCALL_FAULT_INJECTION_REPORT_TRACE_TEXT_H_

#include <string>

#include "fault_injection/report/run_record.h"

namespace rollcall::fault {

// A line for each beginning and end of a step, packet, wait and band, and for each fault and note,
// in the order of time: seconds since the world began, who, and what. Equal records, equal bytes.
//
//     0.000150  w1                  > get /rank0
//     0.000150  w1 -> w0            get /rank0 (arrives 0.000200)
//     0.000360  w0, w3              FAULT cut w0 -> w3
//
// `>` begins a step, `<` ends it, `!` ends it with an error; `=` is one that took no time.
std::string TraceText(const RunRecord& record);

}  // namespace rollcall::fault

#endif  // ROLLCALL_FAULT_INJECTION_REPORT_TRACE_TEXT_H_
