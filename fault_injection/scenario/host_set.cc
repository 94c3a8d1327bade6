#include "fault_injection/scenario/host_set.h"

#include <algorithm>
#include <cstdint>

#include "absl/algorithm/container.h"
#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "tools/suggest.h"

namespace rollcall::fault {
namespace {

// "w1-3" as "w", 1, 3. False if it is no such range.
bool ParseRange(absl::string_view item, absl::string_view& stem, uint32_t& first, uint32_t& last) {
  const size_t dash = item.rfind('-');
  if (dash == absl::string_view::npos || dash == 0) return false;
  size_t digits = dash;
  while (digits > 0 && absl::ascii_isdigit(item[digits - 1])) --digits;
  stem = item.substr(0, digits);
  return absl::SimpleAtoi(item.substr(digits, dash - digits), &first) &&
         absl::SimpleAtoi(item.substr(dash + 1), &last) && first <= last;
}

bool ItemNames(absl::string_view item, absl::string_view host) {
  if (item == host) return true;
  absl::string_view stem = item;
  uint32_t number = 0;
  if (absl::ConsumeSuffix(&stem, "*")) {
    absl::string_view rest = host;
    return absl::ConsumePrefix(&rest, stem) && absl::SimpleAtoi(rest, &number);
  }
  uint32_t first = 0;
  uint32_t last = 0;
  if (!ParseRange(item, stem, first, last)) return false;
  absl::string_view rest = host;
  return absl::ConsumePrefix(&rest, stem) && absl::SimpleAtoi(rest, &number) && first <= number &&
         number <= last;
}

absl::Status CheckItem(absl::string_view item, absl::Span<const std::string> known) {
  const auto named = [&](const std::string& host) { return ItemNames(item, host); };
  absl::string_view stem;
  uint32_t first = 0;
  uint32_t last = 0;
  const bool is_whole =
      ParseRange(item, stem, first, last)
          ? absl::c_count_if(known, named) == static_cast<int64_t>(last) - first + 1
          : absl::c_any_of(known, named);
  if (is_whole) return absl::OkStatus();
  const std::vector<absl::string_view> words(known.begin(), known.end());
  const absl::string_view nearest = tools::NearestWord(item, words);
  return absl::InvalidArgumentError(
      absl::StrCat("there is no host \"", item, "\" here",
                   nearest.empty() ? "" : absl::StrCat("; did you mean \"", nearest, "\"?")));
}

}  // namespace

absl::StatusOr<std::vector<std::string>> HostsNamed(absl::string_view text,
                                                    absl::Span<const std::string> known) {
  if (text.empty()) return absl::InvalidArgumentError("no host is named");
  for (absl::string_view item : absl::StrSplit(text, ',')) {
    if (absl::Status checked = CheckItem(item, known); !checked.ok()) return checked;
  }
  std::vector<std::string> named;
  absl::c_copy_if(known, std::back_inserter(named),
                  [&](const std::string& host) { return NamesHost(text, host); });
  return named;
}

bool NamesHost(absl::string_view text, absl::string_view host) {
  for (absl::string_view item : absl::StrSplit(text, ',')) {
    if (ItemNames(item, host)) return true;
  }
  return false;
}

}  // namespace rollcall::fault
