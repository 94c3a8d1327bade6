#include "fault_injection/linearize_search.h"

#include <algorithm>
#include <limits>
#include <string>
#include <utility>

#include "absl/algorithm/container.h"
#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "fault_injection/store_model.h"

namespace rollcall::fault {
namespace {

constexpr size_t kShownPrefixMax = 20;

// A well mixed number for each operation: their exclusive or stands for a set of operations.
uint64_t MixedBits(uint64_t i) {
  i += 0x9E3779B97F4A7C15;
  i = (i ^ (i >> 30)) * 0xBF58476D1CE4E5B9;
  i = (i ^ (i >> 27)) * 0x94D049BB133111EB;
  return i ^ (i >> 31);
}

// Operations done so far, and the state they left. The hash is kept along; equality looks at all.
struct Tried {
  std::vector<uint64_t> done;
  uint64_t done_hash = 0;
  ModelState state;
  // Plus one, if it is of unknown outcome, else 0: what may come next hangs on it.
  size_t last_unknown = 0;

  friend bool operator==(const Tried& a, const Tried& b) {
    return a.done_hash == b.done_hash && a.last_unknown == b.last_unknown && a.state == b.state &&
           a.done == b.done;
  }
  template <typename H>
  friend H AbslHashValue(H h, const Tried& tried) {
    return H::combine(std::move(h), tried.done_hash, tried.last_unknown, tried.state);
  }
};

bool Shares(const std::vector<uint32_t>& a, const std::vector<uint32_t>& b) {
  return absl::c_any_of(a, [&b](uint32_t key) { return absl::c_linear_search(b, key); });
}

bool IsOfValues(HistoryKind kind) {
  return kind != HistoryKind::kQueuePush && kind != HistoryKind::kQueuePop;
}

// After `second` nothing is left of what `first` did, and nothing was seen of it.
bool Overwrites(const StoreModel::Step& second, const StoreModel::Step& first) {
  if (second.kind != HistoryKind::kSet && second.kind != HistoryKind::kMultiSet) return false;
  return IsOfValues(first.kind) && absl::c_all_of(first.keys, [&second](uint32_t key) {
           return absl::c_linear_search(second.keys, key);
         });
}

// Whether an answer, or what a compare_set expects, shows that `text` was part of the value of
// `key`.
bool Shows(const Operation& operation, absl::string_view key, absl::string_view text) {
  for (size_t i = 0; i < operation.keys.size(); ++i) {
    if (operation.keys[i] != key) continue;
    switch (operation.kind) {
      case HistoryKind::kGet:
      case HistoryKind::kMultiGet:
        if (absl::StrContains(operation.results[i], text)) return true;
        break;
      case HistoryKind::kCompareSet:
        if (absl::StrContains(operation.values[0], text)) return true;
        if (operation.outcome == Outcome::kOk && absl::StrContains(operation.results[0], text)) {
          return true;
        }
        break;
      case HistoryKind::kAdd:  // It reads any number, and fails on all else.
        return true;
      default:
        break;
    }
  }
  return false;
}

// The texts that a write leaves at the end of its keys' values, key by key; none for other kinds.
absl::Span<const std::string> TextsLeft(const Operation& operation) {
  switch (operation.kind) {
    case HistoryKind::kSet:
    case HistoryKind::kMultiSet:
    case HistoryKind::kAppend:
      return operation.values;
    case HistoryKind::kCompareSet:
      return absl::MakeSpan(operation.values).subspan(1);
    default:
      return {};
  }
}

class OrderSearch final : public PartitionSearch {
 public:
  OrderSearch(const History& history, std::vector<size_t> operations, TryOrder order)
      : operations_(std::move(operations)), order_(order) {
    absl::flat_hash_map<absl::string_view, uint32_t> key_index;
    for (size_t index : operations_) {
      for (const std::string& key : history[index].keys) {
        key_index.try_emplace(key, static_cast<uint32_t>(key_index.size()));
      }
    }
    for (size_t index : operations_) steps_.push_back(model_.Prepare(history[index], key_index));
    now_.state.assign(2 * key_index.size(), 0);
    now_.done.assign((operations_.size() + 63) / 64, 0);
    for (size_t index : operations_) unseen_.push_back(KeysLeftUnseen(history, history[index]));
    MakeList(history);
    at_ = next_[kHead];
  }

  bool Advance(uint64_t steps) override {
    for (; steps > 0 && open_ > 0; --steps, ++steps_made_) {
      const bool in_two_rounds = order_ == TryOrder::kUnknownLast;
      if (IsCall(at_)) {
        const bool is_of_this_round = HasReturn(OperationOf(at_)) != tries_unknown_;
        in_two_rounds && !is_of_this_round ? Skip() : TryCall();
      } else if (in_two_rounds && !tries_unknown_) {
        tries_unknown_ = true;
        at_ = next_[kHead];
      } else if (!Backtrack()) {
        violated_ = true;
        return true;
      }
    }
    return open_ == 0;
  }

  bool violated() const override { return violated_; }
  uint64_t steps_made() const override { return steps_made_; }

  void Describe(const History& history, LinearizeResult& result) const override {
    for (size_t i : longest_) result.longest_prefix.push_back(operations_[i]);
    result.stuck_at = operations_[stuck_];
    std::string& text = result.explanation;
    absl::StrAppend(&text, "no order explains these answers.\nThe longest that does");
    const size_t first = longest_.size() - std::min(longest_.size(), kShownPrefixMax);
    absl::StrAppend(&text,
                    first > 0 ? absl::StrCat(" (its last ", kShownPrefixMax, "):\n") : ":\n");
    for (size_t i = first; i < longest_.size(); ++i) {
      absl::StrAppend(&text, "  ", history[operations_[longest_[i]]].ToString(), "\n");
    }
    absl::StrAppend(
        &text, "then this had returned, and cannot come next:\n  ",
        history[operations_[stuck_]].ToString(), "\n  because ",
        model_.Explain(steps_[stuck_], history[operations_[stuck_]].keys, longest_state_), "\n");
    bool others = false;
    for (size_t i : candidates_) {
      if (i == stuck_) continue;
      absl::StrAppend(&text, others ? "" : "nor do these help, which were under way:\n", "  ",
                      history[operations_[i]].ToString(), "\n");
      others = true;
    }
  }

 private:
  // Entries of the list: 0 the head, 2i + 1 the call of operation i, 2i + 2 its return.
  static constexpr size_t kHead = 0;
  static constexpr size_t kEnd = std::numeric_limits<size_t>::max();
  static bool IsCall(size_t entry) { return entry % 2 == 1; }
  static size_t CallOf(size_t i) { return 2 * i + 1; }
  static size_t ReturnOf(size_t i) { return 2 * i + 2; }
  static size_t OperationOf(size_t entry) { return (entry - 1) / 2; }

  struct Done {
    size_t operation;
    size_t last_unknown;  // And the state: before it.
    ModelState before;
  };

  // By key of a write of unknown outcome: what it leaves there nobody has seen, nor anything that
  // began with it.
  std::vector<bool> KeysLeftUnseen(const History& history, const Operation& write) const {
    if (write.outcome != Outcome::kUnknown) return {};
    const absl::Span<const std::string> texts = TextsLeft(write);
    std::vector<bool> unseen;
    for (size_t i = 0; i < texts.size(); ++i) {
      unseen.push_back(!texts[i].empty() && absl::c_none_of(operations_, [&](size_t index) {
        return Shows(history[index], write.keys[i], texts[i]);
      }));
    }
    return unseen;
  }

  // Calls and returns by time. A call at the very time of a return comes first: they overlap.
  void MakeList(const History& history) {
    std::vector<std::pair<absl::Time, size_t>> events;
    for (size_t i = 0; i < operations_.size(); ++i) {
      const Operation& operation = history[operations_[i]];
      events.push_back({operation.invoked, CallOf(i)});
      if (operation.outcome == Outcome::kUnknown) continue;  // Never has to have happened.
      events.push_back({operation.returned, ReturnOf(i)});
      ++open_;
    }
    std::sort(events.begin(), events.end(), [](const auto& a, const auto& b) {
      if (a.first != b.first) return a.first < b.first;
      if (IsCall(a.second) != IsCall(b.second)) return IsCall(a.second);
      return a.second < b.second;
    });
    next_.assign(2 * operations_.size() + 1, kEnd);
    before_.assign(2 * operations_.size() + 1, kEnd);
    size_t last = kHead;
    for (const auto& [time, entry] : events) {
      next_[last] = entry;
      before_[entry] = last;
      last = entry;
    }
  }

  bool HasReturn(size_t i) const { return steps_[i].answered; }

  void Unlink(size_t entry) {
    next_[before_[entry]] = next_[entry];
    if (next_[entry] != kEnd) before_[next_[entry]] = before_[entry];
  }
  void Relink(size_t entry) {
    next_[before_[entry]] = entry;
    if (next_[entry] != kEnd) before_[next_[entry]] = entry;
  }

  void Flip(size_t i) {
    now_.done[i / 64] ^= uint64_t{1} << (i % 64);
    now_.done_hash ^= MixedBits(i);
  }

  // One of unknown outcome may be left out, and has no end before which it must have happened. So
  // of all orders that come to the same, only one in which each such operation comes as late as it
  // can, and none in vain, need be tried: that is, right before one that has to do with it. (Two
  // such that have nothing to do with each other: in the order of their numbers.)
  bool IsNeedlessAfterLast(size_t i) const {
    if (now_.last_unknown == 0) return false;
    const size_t last = now_.last_unknown - 1;
    if (!Shares(steps_[last].keys, steps_[i].keys)) return HasReturn(i) || i < last;
    return Overwrites(steps_[i], steps_[last]);
  }

  // Where a key was there before and nobody has seen what it then held, leaving the write out makes
  // no difference.
  bool IsInVain(size_t i, const ModelState& before) const {
    if (before == now_.state) return true;
    if (unseen_[i].empty()) return false;
    for (size_t k = 0; k < unseen_[i].size(); ++k) {
      const size_t slot = 2 * steps_[i].keys[k];
      if (before[slot] == now_.state[slot]) continue;
      if (!unseen_[i][k] || before[slot] == StoreModel::kMissing) return false;
    }
    return true;
  }

  void Skip() { at_ = next_[at_]; }

  void TryCall() {
    const size_t i = OperationOf(at_);
    if (IsNeedlessAfterLast(i)) return Skip();
    ModelState before = now_.state;
    const size_t last_unknown = now_.last_unknown;
    if (model_.Apply(steps_[i], now_.state) && (HasReturn(i) || !IsInVain(i, before))) {
      now_.last_unknown = HasReturn(i) ? 0 : i + 1;
      Flip(i);
      if (tried_.insert(now_).second) {
        stack_.push_back({i, last_unknown, std::move(before)});
        Unlink(CallOf(i));
        if (HasReturn(i)) {
          Unlink(ReturnOf(i));
          --open_;
        }
        at_ = next_[kHead];
        tries_unknown_ = false;
        return;
      }
      Flip(i);
    }
    now_.last_unknown = last_unknown;
    now_.state = std::move(before);
    Skip();
  }

  // An operation has returned and was not yet given its place: take the last one back.
  bool Backtrack() {
    Remember();
    if (stack_.empty()) return false;
    Done last = std::move(stack_.back());
    stack_.pop_back();
    const size_t i = last.operation;
    if (HasReturn(i)) {
      Relink(ReturnOf(i));
      ++open_;
    }
    Relink(CallOf(i));
    Flip(i);
    now_.last_unknown = last.last_unknown;
    now_.state = std::move(last.before);
    tries_unknown_ = !HasReturn(i);
    at_ = next_[CallOf(i)];
    return true;
  }

  void Remember() {
    if (any_remembered_ && stack_.size() <= longest_.size()) return;
    any_remembered_ = true;
    longest_.clear();
    for (const Done& done : stack_) longest_.push_back(done.operation);
    longest_state_ = now_.state;
    stuck_ = OperationOf(at_);
    candidates_.clear();
    for (size_t entry = next_[kHead]; entry != at_; entry = next_[entry]) {
      candidates_.push_back(OperationOf(entry));
    }
  }

  const std::vector<size_t> operations_;  // Indices into the history.
  StoreModel model_;
  std::vector<StoreModel::Step> steps_;
  std::vector<std::vector<bool>> unseen_;  // See KeysLeftUnseen.
  std::vector<size_t> next_;
  std::vector<size_t> before_;
  size_t open_ = 0;  // Operations that have returned and have no place yet.
  size_t at_ = kEnd;
  const TryOrder order_;
  bool tries_unknown_ = false;  // The second round of kUnknownLast.
  Tried now_;
  std::vector<Done> stack_;
  absl::flat_hash_set<Tried> tried_;
  uint64_t steps_made_ = 0;
  bool violated_ = false;

  bool any_remembered_ = false;
  std::vector<size_t> longest_;
  ModelState longest_state_;
  size_t stuck_ = 0;
  std::vector<size_t> candidates_;
};

}  // namespace

std::unique_ptr<PartitionSearch> NewPartitionSearch(const History& history,
                                                    std::vector<size_t> operations,
                                                    TryOrder order) {
  return std::make_unique<OrderSearch>(history, std::move(operations), order);
}

}  // namespace rollcall::fault
