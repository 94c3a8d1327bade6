#include "tools/rendezvous_report.h"

#include <algorithm>
#include <cstddef>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"

namespace rollcall::tools {
namespace {

// A line of progress stays a line.
constexpr size_t kRanksNamedMax = 16;

}  // namespace

std::string ProgressText(const Cards& cards) {
  std::vector<size_t> missing;
  for (size_t rank = 0; rank < cards.size(); ++rank) {
    if (!cards[rank].has_value()) missing.push_back(rank);
  }
  std::string text = absl::StrCat(cards.size() - missing.size(), "/", cards.size(), " joined");
  if (missing.empty()) return text;
  const size_t named = std::min(missing.size(), kRanksNamedMax);
  absl::StrAppend(
      &text, ", missing rank", missing.size() == 1 ? " " : "s ",
      absl::StrJoin(missing.begin(), missing.begin() + static_cast<std::ptrdiff_t>(named), ", "));
  if (named < missing.size()) absl::StrAppend(&text, " and ", missing.size() - named, " more");
  return text;
}

std::string TableText(const Cards& cards, absl::Time start) {
  size_t host_width = 4;
  for (const std::optional<RankCard>& card : cards) {
    if (card.has_value()) host_width = std::max(host_width, card->host.size());
  }
  const int width = static_cast<int>(host_width);
  std::string table =
      absl::StrFormat("rank  %-*s  %8s  %12s  payload\n", width, "host", "pid", "joined after");
  for (size_t rank = 0; rank < cards.size(); ++rank) {
    const std::optional<RankCard>& card = cards[rank];
    if (!card.has_value()) {
      absl::StrAppendFormat(&table, "%4d  %-*s  %8s  %12s  -\n", rank, width, "-", "-", "missing");
      continue;
    }
    const std::string after =
        absl::StrFormat("%.1f ms", absl::ToDoubleMilliseconds(card->joined - start));
    absl::StrAppendFormat(&table, "%4d  %-*s  %8d  %12s  %s\n", rank, width, card->host, card->pid,
                          after, card->payload);
  }
  return table;
}

}  // namespace rollcall::tools
