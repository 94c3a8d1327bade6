#include "fault_injection/store_model.h"

#include <cstddef>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/types/span.h"
#include "store/engine/key_space.h"

namespace rollcall::fault {

StoreModel::StoreModel() : texts_(1), queues_(1) {}

uint32_t StoreModel::Text(absl::string_view text) {
  const auto [entry, added] =
      text_numbers_.try_emplace(std::string(text), static_cast<uint32_t>(texts_.size()));
  if (added) texts_.emplace_back(text);
  return entry->second;
}

uint32_t StoreModel::Pushed(uint32_t queue, uint32_t element) {
  const auto [entry, added] =
      queue_numbers_.try_emplace({queue, element}, static_cast<uint32_t>(queues_.size()));
  if (added) queues_.push_back({element, queue, queues_[queue].length + 1});
  return entry->second;
}

uint32_t StoreModel::Popped(uint32_t queue, uint32_t& first) {
  std::vector<uint32_t> kept;  // Last first.
  while (queues_[queue].before != kEmptyQueue) {
    kept.push_back(queues_[queue].element);
    queue = queues_[queue].before;
  }
  first = queues_[queue].element;
  uint32_t rest = kEmptyQueue;
  for (size_t i = kept.size(); i > 0; --i) rest = Pushed(rest, kept[i - 1]);
  return rest;
}

StoreModel::Step StoreModel::Prepare(
    const Operation& operation, const absl::flat_hash_map<absl::string_view, uint32_t>& key_index) {
  Step step;
  step.kind = operation.kind;
  step.answered = operation.outcome == Outcome::kOk;
  step.number = operation.number;
  step.result_number = operation.result_number;
  for (const std::string& key : operation.keys) step.keys.push_back(key_index.at(key));
  for (const std::string& value : operation.values) step.values.push_back(Text(value));
  for (const std::string& result : operation.results) step.results.push_back(Text(result));
  return step;
}

bool StoreModel::ApplyAdd(const Step& step, uint32_t& value) {
  uint64_t sum = static_cast<uint64_t>(step.number);
  if (value != kMissing) {
    const absl::StatusOr<int64_t> held = engine::ParseCounter(texts_[value]);
    if (!held.ok()) return !step.answered;  // Refused: nothing changes.
    sum += static_cast<uint64_t>(*held);
  }
  if (step.answered && step.result_number != static_cast<int64_t>(sum)) return false;
  value = Text(absl::StrCat(static_cast<int64_t>(sum)));
  return true;
}

bool StoreModel::Reads(uint32_t result, uint32_t value) const {
  return value == kMissing ? texts_[result].empty() : result == value;
}

bool StoreModel::Apply(const Step& step, ModelState& state) {
  const bool any = !step.answered;
  uint32_t* value = step.keys.empty() ? nullptr : &state[2 * step.keys[0]];
  uint32_t* queue = step.keys.empty() ? nullptr : &state[2 * step.keys[0] + 1];
  const auto there = [&](uint32_t key) {
    return state[2 * key] != kMissing || state[2 * key + 1] != kEmptyQueue;
  };
  const auto all_there = [&] {
    for (uint32_t key : step.keys) {
      if (!there(key)) return false;
    }
    return true;
  };
  switch (step.kind) {
    case HistoryKind::kSet:
      *value = step.values[0];
      return true;
    case HistoryKind::kCompareSet: {
      uint32_t held = *value;
      if (held == kMissing && !texts_[step.values[0]].empty()) {
        return any || step.results[0] == step.values[0];
      }
      if (held == kMissing || held == step.values[0]) held = step.values[1];
      if (!any && step.results[0] != held) return false;
      *value = held;
      return true;
    }
    case HistoryKind::kGet:
      return any || Reads(step.results[0], *value);
    case HistoryKind::kAdd:
      return ApplyAdd(step, *value);
    case HistoryKind::kCheck:
      return any || (step.result_number != 0) == all_there();
    case HistoryKind::kWait:
      return any || all_there();
    case HistoryKind::kDeleteKey:
      if (!any && (step.result_number != 0) != (*value != kMissing)) return false;
      *value = kMissing;
      return true;
    case HistoryKind::kAppend:
      *value = Text(absl::StrCat(*value == kMissing ? "" : texts_[*value], texts_[step.values[0]]));
      return true;
    case HistoryKind::kMultiGet:
      for (size_t i = 0; i < step.keys.size() && !any; ++i) {
        if (!Reads(step.results[i], state[2 * step.keys[i]])) return false;
      }
      return true;
    case HistoryKind::kMultiSet:
      for (size_t i = 0; i < step.keys.size(); ++i) state[2 * step.keys[i]] = step.values[i];
      return true;
    case HistoryKind::kQueuePush:
      *queue = Pushed(*queue, step.values[0]);
      return true;
    case HistoryKind::kQueuePop: {
      if (*queue == kEmptyQueue) return any;
      uint32_t first = 0;
      const uint32_t rest = Popped(*queue, first);
      if (!any && step.results[0] != first) return false;
      *queue = rest;
      return true;
    }
    case HistoryKind::kQueueEmpty:
      return any || *queue == kEmptyQueue;
    case HistoryKind::kQueueLen:
      return any || step.result_number == static_cast<int64_t>(queues_[*queue].length);
  }
  return false;
}

std::string StoreModel::Shown(uint32_t value) const {
  if (value == kMissing) return "is missing";
  return absl::StrCat("holds \"", absl::Utf8SafeCHexEscape(texts_[value].substr(0, 64)), "\"");
}

std::string StoreModel::Explain(const Step& step, absl::Span<const std::string> keys,
                                const ModelState& state) const {
  std::string text;
  for (size_t i = 0; i < step.keys.size(); ++i) {
    const uint32_t queue = state[2 * step.keys[i] + 1];
    absl::StrAppend(&text, text.empty() ? "" : "; ", "key \"", absl::Utf8SafeCHexEscape(keys[i]),
                    "\" ", Shown(state[2 * step.keys[i]]));
    if (queue != kEmptyQueue) {
      absl::StrAppend(&text, ", its queue has ", queues_[queue].length);
    }
  }
  return text;
}

}  // namespace rollcall::fault
