#include "tools/suggest.h"

#include <algorithm>
#include <cstddef>
#include <numeric>
#include <vector>

namespace rollcall::tools {
namespace {

// Levenshtein's distance, a row at a time.
size_t EditDistance(absl::string_view a, absl::string_view b) {
  std::vector<size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), size_t{0});
  for (size_t i = 1; i <= a.size(); ++i) {
    size_t diagonal = row[0];
    row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t replaced = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({replaced, row[j] + 1, row[j - 1] + 1});
    }
  }
  return row.back();
}

}  // namespace

absl::string_view NearestWord(absl::string_view typed, absl::Span<const absl::string_view> known) {
  absl::string_view nearest;
  size_t nearest_distance = 0;
  for (absl::string_view word : known) {
    const size_t distance = EditDistance(typed, word);
    if (distance > std::max<size_t>(1, word.size() / 3)) continue;
    if (nearest.empty() || distance < nearest_distance) {
      nearest = word;
      nearest_distance = distance;
    }
  }
  return nearest;
}

}  // namespace rollcall::tools
