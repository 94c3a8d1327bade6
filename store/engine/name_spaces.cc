#include "store/engine/name_spaces.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "store/engine/key_space.h"
#include "store/engine/table_memory.h"
#include "store/protocol/reply.h"

namespace rollcall::engine {

NameSpaces::NameSpaces(const NameSpaceLimits& limits)
    : limits_(limits),
      default_clients_max_(limits.Of("").clients_max),
      budget_{.bytes_max = limits.memory_bytes_max},
      default_("", limits.Of(""), limits.any() ? &budget_ : nullptr) {}

void NameSpaces::Connect(ClientId client, protocol::Dialect dialect, absl::string_view name_space) {
  Other* other = nullptr;
  if (!name_space.empty()) other = &OtherOf(name_space);
  StoreEngine& engine = other == nullptr ? default_ : other->engine;
  const size_t clients_max = other == nullptr ? default_clients_max_ : other->clients_max;
  if (clients_max != 0 && engine.client_count() >= clients_max) {
    members_.emplace(client, Member{.clients_max = clients_max});
    return;
  }
  if (other != nullptr) members_.emplace(client, Member{.other = other});
  engine.Connect(client, dialect);
}

NameSpaces::Other& NameSpaces::OtherOf(absl::string_view name_space) {
  std::unique_ptr<Other>& place = others_[std::string(name_space)];
  if (place == nullptr) {
    place = std::make_unique<Other>(std::string(name_space), limits_.Of(std::string(name_space)),
                                    limits_.any() ? &budget_ : nullptr);
    const auto besides = bytes_besides_.find(name_space);
    if (besides != bytes_besides_.end()) place->engine.SetBytesBesides(besides->second);
    if (log_of_ != nullptr) place->engine.LogTo(log_of_(name_space));
  }
  return *place;
}

void NameSpaces::RejoinBarrier(ClientId from, protocol::Request& request, absl::Time now,
                               Replies& replies) {
  const auto member = members_.find(from);
  if (member == members_.end()) return default_.RejoinBarrier(from, request, now, replies);
  Other* const other = member->second.other;
  if (other == nullptr) return ApplyAmongMany(from, request, now, replies);
  Discount(*other);
  other->engine.RejoinBarrier(from, request, now, replies);
  Count(*other);
}

std::optional<absl::string_view> NameSpaces::NameSpaceOf(ClientId client) const {
  const auto member = members_.find(client);
  if (member == members_.end()) return "";
  if (member->second.other == nullptr) return std::nullopt;
  return member->second.other->name;
}

void NameSpaces::LogTo(std::function<ChangeLog*(absl::string_view name)> log_of) {
  log_of_ = std::move(log_of);
  default_.LogTo(log_of_(""));
  for (const auto& [name, other] : others_) other->engine.LogTo(log_of_(name));
}

void NameSpaces::Restore(absl::string_view name_space, std::string key, std::string value) {
  if (name_space.empty()) return default_.Restore(std::move(key), std::move(value));
  Other& other = OtherOf(name_space);
  Discount(other);
  other.engine.Restore(std::move(key), std::move(value));
  Count(other);
}

void NameSpaces::RestoreElement(absl::string_view name_space, std::string queue,
                                std::string element) {
  if (name_space.empty()) return default_.RestoreElement(std::move(queue), std::move(element));
  OtherOf(name_space).engine.RestoreElement(std::move(queue), std::move(element));
}

void NameSpaces::AddBytesBesides(absl::string_view name_space, int64_t bytes) {
  const auto entry = bytes_besides_.try_emplace(name_space).first;
  const size_t now = entry->second += static_cast<size_t>(bytes);  // Wraps around.
  budget_.bytes_used += static_cast<size_t>(bytes);
  if (now == 0) bytes_besides_.erase(entry);
  if (name_space.empty()) return default_.SetBytesBesides(now);
  const auto found = others_.find(name_space);
  if (found != others_.end()) found->second->engine.SetBytesBesides(now);
}

std::string NameSpaces::AllBeyondLimit() const {
  const size_t used = budget_.bytes_used + budget_.also_used_bytes();
  if (budget_.bytes_max == 0 || used <= budget_.bytes_max) return "";
  return absl::StrCat("the store holds ", used, " of the ", budget_.bytes_max,
                      " bytes that it may hold");
}

std::string NameSpaces::MemoryBeyondLimit(absl::string_view name_space) const {
  const StoreEngine* const engine = Find(name_space);
  std::string beyond = engine == nullptr ? "" : engine->MemoryBeyondLimit();
  return beyond.empty() ? AllBeyondLimit() : beyond;
}

std::string NameSpaces::BeyondLimits() const {
  constexpr size_t kShownMax = 4;
  std::vector<std::string> shown;
  size_t more = 0;
  const auto add = [&](std::string beyond) {
    if (beyond.empty()) return;
    shown.size() < kShownMax ? shown.push_back(std::move(beyond)) : static_cast<void>(++more);
  };
  add(AllBeyondLimit());
  ForEach([&](absl::string_view /*name*/, const StoreEngine& engine) {
    add(engine.KeysBeyondLimit());
    add(engine.MemoryBeyondLimit());
  });
  if (more > 0) shown.push_back(absl::StrCat(more, " more"));
  return absl::StrJoin(shown, "; ");
}

const StoreEngine* NameSpaces::Find(absl::string_view name_space) const {
  if (name_space.empty()) return &default_;
  const auto found = others_.find(name_space);
  return found == others_.end() ? nullptr : &found->second->engine;
}

void NameSpaces::Discount(const Other& other) {
  other_keys_ -= other.engine.key_count();
  other_waiting_clients_ -= other.engine.waiting_clients();
}

void NameSpaces::Count(const Other& other) {
  other_keys_ += other.engine.key_count();
  other_waiting_clients_ += other.engine.waiting_clients();
}

void NameSpaces::ApplyAmongMany(ClientId from, protocol::Request& request, absl::Time now,
                                Replies& replies) {
  const auto member = members_.find(from);
  if (member == members_.end()) return default_.Apply(from, request, now, replies);
  if (Other* const other = member->second.other) {
    Discount(*other);
    other->engine.Apply(from, request, now, replies);
    return Count(*other);
  }
  Outgoing& outgoing = replies.emplace_back();
  outgoing.to = from;
  outgoing.reply.kind = protocol::ReplyKind::kHangUp;
  outgoing.reply.cause = protocol::HangUpCause::kStoreFull;
  outgoing.reply.reason = absl::StrCat("its name space has ", member->second.clients_max,
                                       " clients, as many as it may");
}

bool NameSpaces::Disconnect(ClientId client, absl::Time now) {
  if (members_.empty()) return default_.Disconnect(client, now);
  const auto member = members_.find(client);
  if (member == members_.end()) return default_.Disconnect(client, now);
  Other* const other = member->second.other;
  members_.erase(member);
  ReleaseSpareCapacity(members_);
  if (other == nullptr) return false;
  Discount(*other);
  const bool waited = other->engine.Disconnect(client, now);
  Count(*other);
  if (other->engine.client_count() == 0 && other->engine.holds_nothing()) {
    others_.erase(others_.find(other->name));
    ReleaseSpareCapacity(others_);
  }
  return waited;
}

bool NameSpaces::Awaits(ClientId client) const {
  const auto member = members_.find(client);
  if (member == members_.end()) return default_.Awaits(client);
  const Other* const other = member->second.other;
  return other != nullptr && other->engine.Awaits(client);
}

void NameSpaces::ForEach(
    absl::FunctionRef<void(absl::string_view name, const StoreEngine& engine)> visit) const {
  visit("", default_);
  std::vector<const Other*> others;
  others.reserve(others_.size());
  for (const auto& [name, other] : others_) others.push_back(other.get());
  std::sort(others.begin(), others.end(),
            [](const Other* a, const Other* b) { return a->name < b->name; });
  for (const Other* const other : others) visit(other->name, other->engine);
}

}  // namespace rollcall::engine
