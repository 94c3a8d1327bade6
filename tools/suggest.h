// "Did you mean ...?"
#ifndef ROLLCALL_TOOLS_SUGGEST_H_
#define ROLLCALL_TOOLS_SUGGEST_H_

#include "absl/strings/string_view.h"
#include "absl/types/span.h"

namespace rollcall::tools {

// The one of `known` that takes the fewest typing errors to become `typed`; empty if each takes
// more than a third of its letters.
absl::string_view NearestWord(absl::string_view typed, absl::Span<const absl::string_view> known);

}  // namespace rollcall::tools

#endif  // ROLLCALL_TOOLS_SUGGEST_H_
