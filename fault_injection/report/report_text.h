// How reports write times, and names from the record.
#ifndef ROLLCALL_FAULT_INJECTION_REPORT_REPORT_TEXT_H_
#define ROLLCALL_FAULT_INJECTION_REPORT_REPORT_TEXT_H_

#include <cstddef>
#include <string>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "fault_injection/report/run_record.h"

namespace rollcall::fault {

// Seconds with six digits after the point: "300.000050".
std::string FormatSeconds(absl::Duration elapsed);
// For a reader who wants the size, not the digits: "4m59.9s", "250ms", "50us".
std::string FormatRoughly(absl::Duration duration);
// "w1"; "world" for kNone.
absl::string_view HostName(const RunRecord& record, int host);
// At most `bytes_max` (>= 3) bytes, "..." at the end where something is cut off. Never cuts a UTF-8
// character in two.
std::string Shortened(absl::string_view text, size_t bytes_max);
// Only printable ASCII and whole UTF-8 characters; others become \xNN.
std::string Printable(absl::string_view text);
// "42 messages", "1 message".
std::string Count(size_t count, absl::string_view noun);
// "get /a -> WAIT_TIMEOUT", "set /a".
std::string StepText(const RunRecord::Step& step);
// "set /a", "SYN lost", "42 bytes lost: accept queue of w0 is full".
std::string MessageText(const RunRecord::Message& message);
// "w0: paused", "w0 -> w1: cut".
std::string BandText(const RunRecord& record, const RunRecord::Band& band);

}  // namespace rollcall::fault

#endif  // ROLLCALL_FAULT_INJECTION_REPORT_REPORT_TEXT_H_
