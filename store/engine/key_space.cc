#include "store/engine/key_space.h"

#include <algorithm>
#include <charconv>
#include <system_error>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "store/engine/table_memory.h"

namespace rollcall::engine {

bool IsHidden(absl::string_view key) { return absl::StartsWith(key, kHiddenKeyPrefix); }

std::string Shown(absl::string_view text) {
  constexpr size_t kShownBytesMax = 64;
  const absl::string_view beginning = text.substr(0, kShownBytesMax);
  return absl::StrCat("\"", absl::CHexEscape(beginning), "\"",
                      beginning.size() < text.size() ? "..." : "");
}

absl::StatusOr<int64_t> ParseCounter(absl::string_view value) {
  absl::string_view digits = absl::StripLeadingAsciiWhitespace(value);
  // from_chars takes "-" but not "+", and must not be shown "+-7".
  if (absl::StartsWith(digits, "+") && !absl::StartsWith(digits, "+-")) digits.remove_prefix(1);
  int64_t number = 0;
  const char* end = digits.data() + digits.size();
  const std::errc error = std::from_chars(digits.data(), end, number, 10).ec;
  if (error == std::errc()) return number;
  if (error == std::errc::result_out_of_range) {
    return absl::OutOfRangeError(
        absl::StrCat("the value ", Shown(value), " does not fit into 64 bits"));
  }
  return absl::InvalidArgumentError(absl::StrCat("the value ", Shown(value), " is not a number"));
}

const std::string* KeySpace::Find(absl::string_view key) const {
  const auto found = values_.find(key);
  return found == values_.end() ? nullptr : &found->second;
}

KeySpace::Entry KeySpace::FindOrCreate(std::string&& key) {
  const auto [entry, created] = values_.try_emplace(std::move(key));
  if (created) {
    if (IsHidden(entry->first)) ++hidden_key_count_;
    key_bytes_ += entry->first.size();
  }
  return Entry{entry->first, &entry->second, created, entry->second.size()};
}

std::optional<std::string> KeySpace::Erase(absl::string_view key) {
  const auto found = values_.find(key);
  if (found == values_.end()) return std::nullopt;
  if (log_ != nullptr) log_->KeyChanged(key);
  if (IsHidden(key)) --hidden_key_count_;
  key_bytes_ -= key.size();
  value_bytes_ -= found->second.size();
  std::string last_value = std::move(found->second);
  values_.erase(found);
  ReleaseSpareCapacity(values_);
  return last_value;
}

bool KeySpace::Exists(absl::string_view name) const {
  return values_.contains(name) || (!queues_.empty() && queues_.contains(name));
}

void KeySpace::Push(std::string&& queue, std::string&& element) {
  value_bytes_ += element.size();
  if (log_ != nullptr) log_->Pushed(queue, element);
  const auto [entry, created] = queues_.try_emplace(std::move(queue));
  if (created) key_bytes_ += entry->first.size();
  entry->second.push_back(std::move(element));
  ++element_count_;
}

std::optional<std::string> KeySpace::Pop(absl::string_view queue) {
  const auto found = queues_.find(queue);
  if (found == queues_.end()) return std::nullopt;
  if (log_ != nullptr) log_->Popped(queue);
  std::string element = std::move(found->second.front());
  found->second.pop_front();
  value_bytes_ -= element.size();
  --element_count_;
  if (found->second.empty()) {
    key_bytes_ -= queue.size();
    queues_.erase(found);
    ReleaseSpareCapacity(queues_);
  }
  return element;
}

size_t KeySpace::QueueLength(absl::string_view queue) const {
  const auto found = queues_.find(queue);
  return found == queues_.end() ? 0 : found->second.size();
}

std::vector<absl::string_view> KeySpace::VisibleKeys() const {
  std::vector<absl::string_view> keys;
  keys.reserve(visible_key_count());
  for (const auto& [key, value] : values_) {
    if (!IsHidden(key)) keys.push_back(key);
  }
  std::sort(keys.begin(), keys.end());
  return keys;
}

}  // namespace rollcall::engine
