// A server's /status.json as text for a terminal.
#ifndef ROLLCALL_TOOLS_STATUS_TEXT_H_
#define ROLLCALL_TOOLS_STATUS_TEXT_H_

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace rollcall::tools {

struct StatusText {
  std::string report;    // All of it: lines of printable ASCII.
  std::string summary;   // One line, without its end.
  bool is_whole = true;  // No rank is missing or gone.
};

// DataLoss: it is no status. Whatever is in it, nothing in the result moves a terminal's cursor.
absl::StatusOr<StatusText> RenderStatus(absl::string_view json);

// `text` with a "?" for each byte that is not printable ASCII.
std::string PrintableAscii(absl::string_view text);

// "     0  to 1023, all waiting", "  1024  wwwmwww...": rows of a grid of ranks by their states'
// letters, runs of rows that are all alike in one line. Each line has its end.
std::string RankRows(absl::string_view states);

}  // namespace rollcall::tools

#endif  // ROLLCALL_TOOLS_STATUS_TEXT_H_
