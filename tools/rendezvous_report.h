// What the rendezvous shows: progress, and who joined when.
#ifndef ROLLCALL_TOOLS_RENDEZVOUS_REPORT_H_
#define ROLLCALL_TOOLS_RENDEZVOUS_REPORT_H_

#include <optional>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "absl/types/span.h"
#include "tools/rendezvous_rank.h"

namespace rollcall::tools {

// By rank; nullopt for one that has not joined.
using Cards = std::vector<std::optional<RankCard>>;

// "6/8 joined, missing ranks 3, 5"; "8/8 joined".
std::string ProgressText(const Cards& cards);

// A line a rank: rank, host, pid, joined after, payload; missing ranks say so.
std::string TableText(const Cards& cards, absl::Time start);

}  // namespace rollcall::tools

#endif  // ROLLCALL_TOOLS_RENDEZVOUS_REPORT_H_
