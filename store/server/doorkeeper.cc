#include "store/server/doorkeeper.h"

#include <utility>

namespace rollcall {

Doorkeeper::Doorkeeper(size_t loops, size_t connections_max, size_t silent_max)
    : loops_count_(loops),
      connections_max_(connections_max == 0 ? kConnectionsMax : connections_max),
      silent_max_(silent_max),
      loops_(std::make_unique<Loop[]>(loops)) {}

std::optional<Doorkeeper::Place> Doorkeeper::Admit() {
  size_t total = 0;
  size_t emptiest = 0;
  size_t fewest = std::numeric_limits<size_t>::max();
  for (size_t i = 0; i < loops_count_; ++i) {
    const size_t connections = loops_[i].connections.load();
    total += connections;
    if (connections >= fewest) continue;
    emptiest = i;
    fewest = connections;
  }
  // Since only this thread adds, there can be fewer than were counted but not more.
  if (total >= connections_max_) return std::nullopt;
  loops_[emptiest].connections.fetch_add(1);
  return Place{.loop = emptiest, .arrival = admitted_++};
}

void Doorkeeper::Left(size_t loop) { loops_[loop].connections.fetch_sub(1); }

void Doorkeeper::SetMakeWay(size_t loop, absl::AnyInvocable<void()> make_way) {
  loops_[loop].make_way = std::move(make_way);
}

void Doorkeeper::Silent(size_t loop, uint64_t oldest) {
  loops_[loop].oldest_silent.store(oldest);
  // Who makes them too many sees to it that there is one less; so each of those too many does.
  if (silent_.fetch_add(1) >= silent_max_) MakeWay();
}

void Doorkeeper::MakeWay() {
  size_t chosen = loops_count_;
  uint64_t oldest = kNobody;
  for (size_t i = 0; i < loops_count_; ++i) {
    const uint64_t candidate = loops_[i].oldest_silent.load();
    if (candidate >= oldest) continue;
    chosen = i;
    oldest = candidate;
  }
  // Nobody is silent any more: nobody need go.
  if (chosen < loops_count_) loops_[chosen].make_way();
}

void Doorkeeper::NoLongerSilent(size_t loop, uint64_t oldest) {
  loops_[loop].oldest_silent.store(oldest);
  silent_.fetch_sub(1);
}

}  // namespace rollcall
