// What a StoreEngine does where it may not hold as much as it likes.
#include <cstdint>
#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "store/engine/key_space.h"
#include "store/engine/store_engine.h"
#include "store/engine/wait_list.h"
#include "store/engine/watch_list.h"
#include "store/protocol/operation.h"
#include "store/protocol/reply.h"

namespace rollcall::engine {
namespace {

using protocol::Operation;

int64_t Signed(size_t size) { return static_cast<int64_t>(size); }

std::string KeysOf(absl::string_view place, size_t keys, size_t keys_max) {
  return absl::StrCat(place, " has ", keys, " of the ", keys_max, " keys that it may have");
}

std::string BytesOf(absl::string_view place, size_t bytes, size_t bytes_max) {
  return absl::StrCat(place, " holds ", bytes, " of the ", bytes_max, " bytes that it may hold");
}

}  // namespace

StoreEngine::StoreEngine(std::string name, const StoreLimits& limits, MemoryBudget* budget)
    : name_(std::move(name)),
      limits_(limits),
      budget_(budget),
      is_limited_(limits.keys_max != 0 || limits.memory_bytes_max != 0 ||
                  (budget != nullptr && budget->bytes_max != 0)) {}

StoreEngine::~StoreEngine() {
  if (budget_ != nullptr) budget_->bytes_used -= accounted_bytes_;
}

void StoreEngine::Account() {
  const size_t bytes = own_memory_bytes();
  budget_->bytes_used += bytes - accounted_bytes_;  // Wraps around where it shrank.
  accounted_bytes_ = bytes;
}

void StoreEngine::AddValueGrowth(absl::string_view key, size_t value_bytes, Growth& growth) const {
  const std::string* const value = keys_.Find(key);
  if (value == nullptr) {
    growth.bytes += Signed(kKeyOverheadBytes + key.size() + value_bytes);
    growth.keys += IsHidden(key) ? 0 : 1;
  } else {
    growth.bytes += Signed(value_bytes) - Signed(value->size());
  }
}

void StoreEngine::AddWaitGrowth(absl::string_view name, Growth& growth) {
  growth.bytes += Signed(kAwaitedNameOverheadBytes + kAwaitingOverheadBytes + name.size());
}

void StoreEngine::AddCounterGrowth(const Call& call, Growth& growth) const {
  const bool is_barrier = call.request.operation == Operation::kBarrier;
  const std::string& key = call.request.keys[0];
  const std::string* const value = keys_.Find(key);
  int64_t current = 0;
  if (value != nullptr) {
    const absl::StatusOr<int64_t> parsed = ParseCounter(*value);
    if (!parsed.ok()) return;
    current = *parsed;
  }
  const int64_t sum = CounterSum(current, is_barrier ? call.members : call.request.number);
  AddValueGrowth(key, absl::StrCat(sum).size(), growth);
  if (!is_barrier || sum >= call.request.number) return;
  growth.bytes += Signed(kWaitOverheadBytes);
  AddWaitGrowth(key, growth);
}

StoreEngine::Growth StoreEngine::GrowthOf(const Call& call) const {
  const protocol::Request& request = call.request;
  Growth growth;
  switch (request.operation) {
    case Operation::kSet:
    case Operation::kMultiSet:
      for (size_t i = 0; i < request.keys.size(); ++i) {
        AddValueGrowth(request.keys[i], request.values[i].size(), growth);
      }
      break;
    case Operation::kCompareSet: {
      const std::string* const value = keys_.Find(request.keys[0]);
      const absl::string_view current = value == nullptr ? absl::string_view() : *value;
      if (current != request.values[0]) break;
      AddValueGrowth(request.keys[0], request.values[1].size(), growth);
      break;
    }
    case Operation::kAppend: {
      const std::string* const value = keys_.Find(request.keys[0]);
      const size_t before = value == nullptr ? 0 : value->size();
      AddValueGrowth(request.keys[0], before + request.values[0].size(), growth);
      break;
    }
    case Operation::kAdd:
    case Operation::kBarrier:
      AddCounterGrowth(call, growth);
      break;
    case Operation::kQueuePush:
      growth.bytes += Signed(kElementOverheadBytes + request.values[0].size());
      if (keys_.QueueLength(request.keys[0]) > 0) break;
      growth.bytes += Signed(kQueueOverheadBytes + request.keys[0].size());
      ++growth.keys;
      break;
    case Operation::kWait:
      for (const std::string& name : request.keys) {
        if (!keys_.Exists(name)) AddWaitGrowth(name, growth);
      }
      if (growth.bytes > 0) growth.bytes += Signed(kWaitOverheadBytes);
      break;
    case Operation::kWatchKey:
      growth.bytes += Signed(kWatchOverheadBytes + request.keys[0].size());
      break;
    default:
      break;
  }
  return growth;
}

bool StoreEngine::HasRoomFor(Call& call) {
  const Growth growth = GrowthOf(call);
  std::string why = WhyFull(call, growth);
  if (why.empty()) return true;
  call.HangUp(std::move(why));
  call.replies.back().reply.cause = protocol::HangUpCause::kStoreFull;
  return false;
}

std::string StoreEngine::Place() const {
  return absl::StrCat("the name space ", name_.empty() ? "\"default\"" : Shown(name_));
}

std::string StoreEngine::KeysBeyondLimit() const {
  if (limits_.keys_max == 0 || keys_of_limit() <= limits_.keys_max) return "";
  return KeysOf(Place(), keys_of_limit(), limits_.keys_max);
}

std::string StoreEngine::MemoryBeyondLimit() const {
  if (limits_.memory_bytes_max == 0 || memory_bytes() <= limits_.memory_bytes_max) return "";
  return BytesOf(Place(), memory_bytes(), limits_.memory_bytes_max);
}

// Most requests have room: they pay for no words.
std::string StoreEngine::WhyFull(const Call& call, const Growth& growth) const {
  const auto ask = [&](int64_t more, absl::string_view unit) {
    return absl::StrCat("; this ", protocol::OperationName(call.request.operation), " needs ", more,
                        unit, " more");
  };
  const size_t keys = keys_of_limit();
  if (limits_.keys_max != 0 && growth.keys > 0 &&
      keys + static_cast<size_t>(growth.keys) > limits_.keys_max) {
    return absl::StrCat(KeysOf(Place(), keys, limits_.keys_max),
                        ask(growth.keys, growth.keys == 1 ? " key" : " keys"));
  }
  if (growth.bytes <= 0) return "";
  const size_t bytes = memory_bytes();
  const size_t more = static_cast<size_t>(growth.bytes);
  if (limits_.memory_bytes_max != 0 && bytes + more > limits_.memory_bytes_max) {
    return absl::StrCat(BytesOf(Place(), bytes, limits_.memory_bytes_max),
                        ask(growth.bytes, " bytes"));
  }
  if (budget_ == nullptr || budget_->bytes_max == 0) return "";
  // The budget has not heard of a wait that a legacy client gave up with this very request.
  const size_t also = budget_->also_used_bytes();
  const size_t used = budget_->bytes_used - accounted_bytes_ + own_memory_bytes() + also;
  if (used + more > budget_->bytes_max) {
    return absl::StrCat(
        BytesOf("the store", used, budget_->bytes_max), ", ", bytes, " of them for ", Place(),
        also == 0 ? "" : absl::StrCat(" and ", also, " on their way"), ask(growth.bytes, " bytes"));
  }
  return "";
}

}  // namespace rollcall::engine
