#include "fault_injection/real/role_lines.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_split.h"

namespace rollcall::fault {

RoleLine RoleLineOf(absl::string_view line) {
  const std::pair<absl::string_view, absl::string_view> parts =
      absl::StrSplit(line, absl::MaxSplits(' ', 1));
  return {std::string(parts.first), std::string(parts.second)};
}

std::string OutcomeToHex(const StepOutcome& outcome) {
  return absl::BytesToHexString(outcome.SerializeAsString());
}

std::optional<StepOutcome> OutcomeFromHex(absl::string_view hex) {
  const bool is_hex = hex.size() % 2 == 0 && std::all_of(hex.begin(), hex.end(), [](char c) {
                        return absl::ascii_isxdigit(static_cast<unsigned char>(c));
                      });
  StepOutcome outcome;
  if (!is_hex || !outcome.ParseFromString(absl::HexStringToBytes(hex))) return std::nullopt;
  return outcome;
}

std::optional<std::string> LineBuffer::Next() {
  const size_t end = bytes_.find('\n');
  if (end == std::string::npos) return std::nullopt;
  std::string line = bytes_.substr(0, end);
  bytes_.erase(0, end + 1);
  return line;
}

}  // namespace rollcall::fault
