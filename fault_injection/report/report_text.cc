#include "fault_injection/report/report_text.h"

#include <algorithm>
#include <cstdint>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace rollcall::fault {
namespace {

// The length of the UTF-8 character at the front of `text`; 0: there is none.
size_t CharacterBytes(absl::string_view text) {
  const auto byte = [&](size_t i) { return static_cast<uint8_t>(text[i]); };
  const uint8_t first = byte(0);
  if (first < 0x80) return first >= 0x20 && first != 0x7F ? 1 : 0;
  const size_t size = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
  if (first < 0xC2 || first > 0xF4 || text.size() < size) return 0;
  for (size_t i = 1; i < size; ++i) {
    if ((byte(i) & 0xC0) != 0x80) return 0;
  }
  // Overlong ones, surrogates, and beyond the last.
  if (first == 0xE0 && byte(1) < 0xA0) return 0;
  if (first == 0xED && byte(1) >= 0xA0) return 0;
  if (first == 0xF0 && byte(1) < 0x90) return 0;
  if (first == 0xF4 && byte(1) >= 0x90) return 0;
  // The control characters after ASCII's, and two that XML does not have.
  if (first == 0xC2 && byte(1) < 0xA0) return 0;
  if (first == 0xEF && byte(1) == 0xBF && byte(2) >= 0xBE) return 0;
  return size;
}

}  // namespace

std::string FormatSeconds(absl::Duration elapsed) {
  const int64_t microseconds = absl::ToInt64Microseconds(elapsed);
  return absl::StrFormat("%d.%06d", microseconds / 1'000'000, microseconds % 1'000'000);
}

std::string FormatRoughly(absl::Duration duration) {
  const absl::Duration unit = duration >= absl::Seconds(10)        ? absl::Milliseconds(100)
                              : duration >= absl::Seconds(1)       ? absl::Milliseconds(10)
                              : duration >= absl::Milliseconds(10) ? absl::Milliseconds(1)
                              : duration >= absl::Milliseconds(1)  ? absl::Microseconds(10)
                                                                   : absl::Nanoseconds(100);
  return absl::FormatDuration(absl::Trunc(duration, unit));
}

absl::string_view HostName(const RunRecord& record, int host) {
  return host == kNone ? absl::string_view("world") : absl::string_view(record.hosts[host]);
}

std::string Shortened(absl::string_view text, size_t bytes_max) {
  if (text.size() <= bytes_max) return std::string(text);
  size_t end = std::max<size_t>(bytes_max, 3) - 3;
  while (end > 0 && (static_cast<uint8_t>(text[end]) & 0xC0) == 0x80) --end;
  return absl::StrCat(text.substr(0, end), "...");
}

std::string Printable(absl::string_view text) {
  std::string printable;
  while (!text.empty()) {
    const size_t size = CharacterBytes(text);
    if (size == 0) {
      absl::StrAppendFormat(&printable, "\\x%02x", static_cast<uint8_t>(text[0]));
    } else {
      absl::StrAppend(&printable, text.substr(0, size));
    }
    text.remove_prefix(std::max<size_t>(size, 1));
  }
  return printable;
}

std::string Count(size_t count, absl::string_view noun) {
  return absl::StrCat(count, " ", noun, count == 1 ? "" : "s");
}

std::string StepText(const RunRecord::Step& step) {
  if (step.outcome.empty()) return step.name;
  return absl::StrCat(step.name, " -> ", step.outcome);
}

std::string MessageText(const RunRecord::Message& message) {
  return absl::StrCat(message.label, message.is_lost ? " lost" : "",
                      message.why_lost.empty() ? "" : ": ", message.why_lost);
}

std::string BandText(const RunRecord& record, const RunRecord::Band& band) {
  const std::string peer =
      band.peer == kNone ? "" : absl::StrCat(" -> ", HostName(record, band.peer));
  return absl::StrCat(HostName(record, band.host), peer, ": ", band.what);
}

}  // namespace rollcall::fault
