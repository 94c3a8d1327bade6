#include "fault_injection/random_history.h"

#include <algorithm>
#include <map>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"

namespace rollcall::fault {

History RandomHistory(uint32_t seed, int operations, int clients, int keys) {
  std::mt19937 random(seed);
  const auto below = [&random](int n) { return static_cast<int>(random() % uint32_t(n)); };
  std::map<std::string, std::string> values;
  std::vector<int64_t> free_at(static_cast<size_t>(clients), 0);
  History history;
  int64_t moment = 0;
  for (int i = 0; i < operations; ++i) {
    moment += 10;
    Operation operation;
    operation.client = below(clients);
    int64_t& free = free_at[static_cast<size_t>(operation.client)];
    const int64_t invoked = std::max(free, moment - below(300));
    const int64_t returned = std::max(invoked, moment) + below(300);
    const int64_t takes_effect = std::max(invoked, moment);
    if (takes_effect != moment) continue;  // The client is not back yet.
    free = returned + 1;
    operation.invoked = absl::FromUnixNanos(invoked);
    operation.returned = absl::FromUnixNanos(returned);
    operation.keys = {absl::StrCat("k", below(keys))};
    std::string& value = values[operation.keys[0]];
    switch (below(3)) {
      case 0:
        operation.kind = HistoryKind::kSet;
        operation.values = {absl::StrCat(below(1000))};
        value = operation.values[0];
        break;
      case 1:
        operation.kind = HistoryKind::kAdd;
        operation.number = 1;
        operation.result_number = (value.empty() ? 0 : std::stoll(value)) + 1;
        value = absl::StrCat(operation.result_number);
        break;
      default:
        if (value.empty()) continue;
        operation.kind = HistoryKind::kGet;
        operation.results = {value};
    }
    history.push_back(std::move(operation));
  }
  return history;
}

}  // namespace rollcall::fault
