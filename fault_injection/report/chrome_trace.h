// A run for the trace viewers that browsers have: ui.perfetto.dev, chrome://tracing.
#ifndef ROLLCALL_FAULT_INJECTION_REPORT_CHROME_TRACE_H_
#define ROLLCALL_FAULT_INJECTION_REPORT_CHROME_TRACE_H_

#include <string>

#include "fault_injection/report/run_record.h"

namespace rollcall::fault {

// The JSON object of the Trace Event Format, one event a line. Equal records, equal bytes.
//
//   hosts     processes, in the order of the record; fibers of no host belong to "world"
//   fibers    threads, with steps and, within them, waits as slices
//   messages  flows between the "network" threads of two hosts; a lost one is a mark
//   faults    marks of all the hosts that they concern
//   bands     asynchronous slices of the host
//
// Times are virtual; a viewer's microsecond is one of the world's. Slices of the network threads
// have a length only so that they can be seen, and those of one moment stand a nanosecond apart,
// since viewers can show no two slices of a thread that overlap.
std::string ChromeTrace(const RunRecord& record);

}  // namespace rollcall::fault

#endif  // ROLLCALL_FAULT_INJECTION_REPORT_CHROME_TRACE_H_
