// Whether a text is JSON or XML at all: tests ask it of what the reports write.
#ifndef ROLLCALL_FAULT_INJECTION_REPORT_MARKUP_CHECK_H_
#define ROLLCALL_FAULT_INJECTION_REPORT_MARKUP_CHECK_H_

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace rollcall::fault {

// InvalidArgument says at which byte it is no JSON (RFC 8259).
absl::Status CheckJson(absl::string_view text);
// The same for the XML that has only a declaration, elements, attributes and text.
absl::Status CheckXml(absl::string_view text);

}  // namespace rollcall::fault

#endif  // ROLLCALL_FAULT_INJECTION_REPORT_MARKUP_CHECK_H_
