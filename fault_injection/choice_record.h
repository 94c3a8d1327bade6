// Choices as something to keep: in memory, and as a text that can be read, compared and edited.
#ifndef ROLLCALL_FAULT_INJECTION_CHOICE_RECORD_H_
#define ROLLCALL_FAULT_INJECTION_CHOICE_RECORD_H_

#include <compare>
#include <cstdint>
#include <map>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace rollcall::fault {

struct ChoiceKey {
  std::string actor;        // "w3", "server/loop"
  std::string site;         // "send.bytes"
  uint64_t occurrence = 1;  // Of this actor at this site, from 1.

  friend auto operator<=>(const ChoiceKey&, const ChoiceKey&) = default;
};

struct Choice {
  uint64_t value = 0;
  uint64_t n =
      1;  // There were so many to choose from: for the reader, and for who makes it smaller.

  friend bool operator==(const Choice&, const Choice&) = default;
};

using ChoiceRecord = std::map<ChoiceKey, Choice>;

// One line per choice, in the order of the keys: actor, site, occurrence, value, n, with tabs
// between them; after a first line that says what it is. Actor and site are escaped as in C.
std::string ToText(const ChoiceRecord& record);

// Takes what ToText makes; also blank lines and lines that begin with '#'. InvalidArgument names
// the line.
absl::StatusOr<ChoiceRecord> ChoiceRecordFromText(absl::string_view text);

}  // namespace rollcall::fault

#endif  // ROLLCALL_FAULT_INJECTION_CHOICE_RECORD_H_
