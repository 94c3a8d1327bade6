#include "fault_injection/choice_record.h"

#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/escaping.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"

namespace rollcall::fault {
namespace {

constexpr absl::string_view kFirstLine =
    "# rollcall choices: actor, site, occurrence, value, of n\n";

absl::Status LineError(size_t line_number, absl::string_view line, absl::string_view why) {
  return absl::InvalidArgumentError(
      absl::StrCat("choices, line ", line_number, " (\"", absl::CEscape(line), "\"): ", why));
}

absl::Status ParseLine(size_t line_number, absl::string_view line, ChoiceRecord& record) {
  const std::vector<absl::string_view> fields = absl::StrSplit(line, '\t');
  if (fields.size() != 5) {
    return LineError(line_number, line, "not actor, site, occurrence, value, n with tabs between");
  }
  ChoiceKey key;
  Choice choice;
  if (!absl::CUnescape(fields[0], &key.actor) || !absl::CUnescape(fields[1], &key.site)) {
    return LineError(line_number, line, "a name that is not escaped as in C");
  }
  if (!absl::SimpleAtoi(fields[2], &key.occurrence) || key.occurrence == 0) {
    return LineError(line_number, line, "the occurrence is not a number from 1");
  }
  if (!absl::SimpleAtoi(fields[3], &choice.value) || !absl::SimpleAtoi(fields[4], &choice.n) ||
      choice.value >= choice.n) {
    return LineError(line_number, line, "the value is not a number below n");
  }
  if (!record.emplace(std::move(key), choice).second) {
    return LineError(line_number, line, "the same choice a second time");
  }
  return absl::OkStatus();
}

}  // namespace

std::string ToText(const ChoiceRecord& record) {
  std::string text(kFirstLine);
  for (const auto& [key, choice] : record) {
    absl::StrAppend(&text, absl::CEscape(key.actor), "\t", absl::CEscape(key.site), "\t",
                    key.occurrence, "\t", choice.value, "\t", choice.n, "\n");
  }
  return text;
}

absl::StatusOr<ChoiceRecord> ChoiceRecordFromText(absl::string_view text) {
  ChoiceRecord record;
  size_t line_number = 0;
  for (absl::string_view line : absl::StrSplit(text, '\n')) {
    ++line_number;
    line = absl::StripSuffix(line, "\r");
    if (line.empty() || line.front() == '#') continue;
    const absl::Status parsed = ParseLine(line_number, line, record);
    if (!parsed.ok()) return parsed;
  }
  return record;
}

}  // namespace rollcall::fault
