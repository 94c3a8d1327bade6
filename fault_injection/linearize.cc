#include "fault_injection/linearize.h"

#include <algorithm>
#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "absl/algorithm/container.h"
#include "absl/container/flat_hash_map.h"
#include "absl/strings/str_cat.h"
#include "fault_injection/linearize_search.h"

namespace rollcall::fault {
namespace {

constexpr uint64_t kFirstTurnSteps = 1000;

// Both orders in turn: where many outcomes are unknown one of them is often lost for long, seldom
// both.
class Partition {
 public:
  Partition(const History& history, const std::vector<size_t>& operations) {
    const bool has_unknown = absl::c_any_of(
        operations, [&](size_t i) { return history[i].outcome == Outcome::kUnknown; });
    searches_.push_back(NewPartitionSearch(history, operations, TryOrder::kByTime));
    if (has_unknown) {
      searches_.push_back(NewPartitionSearch(history, operations, TryOrder::kUnknownLast));
    }
  }

  // Makes at most `steps` steps. True once there is a verdict.
  bool Advance(uint64_t steps) {
    for (const std::unique_ptr<PartitionSearch>& search : searches_) {
      if (search->Advance(steps / searches_.size())) {
        decided_ = search.get();
        return true;
      }
    }
    return false;
  }

  bool violated() const { return decided_ != nullptr && decided_->violated(); }
  // Only if violated().
  void Describe(const History& history, LinearizeResult& result) const {
    decided_->Describe(history, result);
  }
  uint64_t steps_made() const {
    uint64_t steps = 0;
    for (const auto& search : searches_) steps += search->steps_made();
    return steps;
  }

 private:
  std::vector<std::unique_ptr<PartitionSearch>> searches_;
  const PartitionSearch* decided_ = nullptr;
};

bool ChangesNothing(HistoryKind kind) {
  switch (kind) {
    case HistoryKind::kGet:
    case HistoryKind::kCheck:
    case HistoryKind::kWait:
    case HistoryKind::kMultiGet:
    case HistoryKind::kQueueEmpty:
    case HistoryKind::kQueueLen:
      return true;
    default:
      return false;
  }
}

// Get and multi_get wait, and then read: a key that was deleted in between reads as empty.
bool FoundAKeyEmpty(const Operation& operation) {
  return (operation.kind == HistoryKind::kGet || operation.kind == HistoryKind::kMultiGet) &&
         absl::c_linear_search(operation.results, "");
}

// What says something of the store. A wait of several keys promises nothing about one moment: it is
// as many waits of one key. So is what a get did before it read.
History WithSingleWaits(const History& history, std::vector<size_t>& origin) {
  History split;
  for (size_t i = 0; i < history.size(); ++i) {
    const Operation& operation = history[i];
    if (operation.outcome == Outcome::kFailed) continue;
    if (operation.outcome == Outcome::kUnknown && ChangesNothing(operation.kind)) continue;
    if (operation.keys.empty()) continue;  // An operation on nothing says nothing.
    if (operation.kind != HistoryKind::kWait) {
      split.push_back(operation);
      origin.push_back(i);
      if (!FoundAKeyEmpty(operation)) continue;
    }
    for (const std::string& key : operation.keys) {
      split.push_back(operation);
      split.back().kind = HistoryKind::kWait;
      split.back().keys = {key};
      split.back().results.clear();
      origin.push_back(i);
    }
  }
  return split;
}

// Union-find over keys: those that one operation touches are in one partition.
class Partitions {
 public:
  size_t Of(const std::string& key) {
    const auto [entry, added] = numbers_.try_emplace(key, parents_.size());
    if (added) parents_.push_back(entry->second);
    return Root(entry->second);
  }
  void Join(const std::string& a, const std::string& b) { parents_[Of(a)] = Of(b); }

 private:
  size_t Root(size_t i) {
    while (parents_[i] != i) i = parents_[i] = parents_[parents_[i]];
    return i;
  }
  absl::flat_hash_map<std::string, size_t> numbers_;
  std::vector<size_t> parents_;
};

std::vector<std::unique_ptr<Partition>> Searches(const History& history) {
  Partitions partitions;
  for (const Operation& operation : history) {
    for (const std::string& key : operation.keys) partitions.Join(operation.keys[0], key);
  }
  absl::flat_hash_map<size_t, size_t> places;
  std::vector<std::vector<size_t>> operations;
  for (size_t i = 0; i < history.size(); ++i) {
    const auto [entry, added] =
        places.try_emplace(partitions.Of(history[i].keys[0]), operations.size());
    if (added) operations.emplace_back();
    operations[entry->second].push_back(i);
  }
  std::vector<std::unique_ptr<Partition>> searches;
  for (std::vector<size_t>& of_one : operations) {
    searches.push_back(std::make_unique<Partition>(history, of_one));
  }
  return searches;
}

}  // namespace

LinearizeResult CheckLinearizable(const History& history, const LinearizeOptions& options) {
  std::vector<size_t> origin;
  const History split = WithSingleWaits(history, origin);
  std::vector<std::unique_ptr<Partition>> searches = Searches(split);
  LinearizeResult result;
  for (uint64_t turn = kFirstTurnSteps; !searches.empty(); turn *= 2) {
    for (std::unique_ptr<Partition>& search : searches) {
      const uint64_t before = search->steps_made();
      const uint64_t allowed = std::min(turn, options.steps_max - result.steps);
      const bool finished = search->Advance(allowed);
      result.steps += search->steps_made() - before;
      if (search->violated()) {
        result.verdict = Verdict::kViolation;
        search->Describe(split, result);
        for (size_t& i : result.longest_prefix) i = origin[i];
        result.stuck_at = origin[result.stuck_at];
        return result;
      }
      if (finished) {
        search.reset();
      } else if (result.steps >= options.steps_max) {
        result.verdict = Verdict::kBudgetSpent;
        result.explanation =
            absl::StrCat("no verdict after ", result.steps, " steps: allow more, or record less");
        return result;
      }
    }
    std::erase(searches, nullptr);
  }
  return result;
}

}  // namespace rollcall::fault
