#include "fault_injection/sim_ports.h"

#include <algorithm>

namespace rollcall::fault {
namespace {

// Whether there are addresses that both would be asked for.
bool Overlap(const PortHolder& a, const PortHolder& b) {
  const auto takes_v4 = [](const PortHolder& h) {
    return h.local.ip.is_v4() || (h.local.ip == IpAddress::AnyV6() && !h.v6_only);
  };
  const auto takes_v6 = [](const PortHolder& h) { return !h.local.ip.is_v4(); };
  if (!(takes_v4(a) && takes_v4(b)) && !(takes_v6(a) && takes_v6(b))) return false;
  return a.local.ip.is_any() || b.local.ip.is_any() || a.local.ip == b.local.ip;
}

bool Conflict(const PortHolder& wanted, const PortHolder& there) {
  if (wanted.local.port != there.local.port || !Overlap(wanted, there)) return false;
  if (wanted.reuse_port && there.reuse_port) return false;
  return !wanted.reuse_address || !there.reuse_address || there.listens;
}

// How well a listener fits: the most particular address first. 0: not at all.
int Fit(const PortHolder& listener, const IpEndpoint& local) {
  if (!listener.listens || listener.local.port != local.port) return 0;
  if (listener.local.ip == local.ip) return 3;
  if (local.ip.is_v4() && listener.local.ip == IpAddress::AnyV4()) return 2;
  const bool takes_family = !local.ip.is_v4() || !listener.v6_only;
  return listener.local.ip == IpAddress::AnyV6() && takes_family ? 1 : 0;
}

}  // namespace

void PortTable::Add(PortHolder* holder) {
  holder->index = holders_.size();
  holders_.push_back(holder);
}

void PortTable::Remove(PortHolder* holder) {
  if (!Holds(*holder)) return;
  if (holder->listens) StopListening(holder);
  holders_[holder->index] = holders_.back();
  holders_[holder->index]->index = holder->index;
  holders_.pop_back();
  holder->index = SIZE_MAX;
}

void PortTable::StartListening(PortHolder* holder) {
  holder->listens = true;
  listeners_.push_back(holder);
}

void PortTable::StopListening(PortHolder* holder) {
  holder->listens = false;
  listeners_.erase(std::remove(listeners_.begin(), listeners_.end(), holder), listeners_.end());
}

bool PortTable::Conflicts(const PortHolder& wanted, absl::Time now) {
  DropPastTimeWaits(now);
  return std::any_of(holders_.begin(), holders_.end(),
                     [&](const PortHolder* there) {
                       return there->index != wanted.index && Conflict(wanted, *there);
                     }) ||
         std::any_of(time_waits_.begin(), time_waits_.end(),
                     [&](const TimeWait& there) { return Conflict(wanted, there.holder); });
}

template <typename Usable>
uint16_t PortTable::Search(ChooseRef choose, Usable usable) const {
  const uint32_t count = last_ - first_ + 1u;
  const uint32_t offset = static_cast<uint32_t>(choose(count));
  for (uint32_t i = 0; i < count; ++i) {
    const uint16_t port = static_cast<uint16_t>(first_ + (offset + i) % count);
    if (usable(port)) return port;
  }
  return 0;
}

uint16_t PortTable::PortToBind(PortHolder wanted, absl::Time now, ChooseRef choose) {
  return Search(choose, [&](uint16_t port) {
    wanted.local.port = port;
    return !Conflicts(wanted, now);
  });
}

uint16_t PortTable::PortToConnect(const PortHolder& wanted, absl::Time now, ChooseRef choose) {
  DropPastTimeWaits(now);
  // A port that was bound by name is its owner's; one that connect chose is shared among
  // connections that lead elsewhere.
  const auto stands_in_the_way = [&](const PortHolder& there, uint16_t port) {
    return there.local.port == port &&
           (there.is_bound_by_name ||
            (there.remote == wanted.remote && there.local.ip == wanted.local.ip));
  };
  return Search(choose, [&](uint16_t port) {
    return std::none_of(holders_.begin(), holders_.end(),
                        [&](const PortHolder* there) { return stands_in_the_way(*there, port); }) &&
           std::none_of(time_waits_.begin(), time_waits_.end(), [&](const TimeWait& there) {
             return stands_in_the_way(there.holder, port);
           });
  });
}

bool PortTable::IsConnected(const PortHolder& wanted, absl::Time now) {
  DropPastTimeWaits(now);
  const auto is_it = [&](const PortHolder& there) {
    return there.remote == wanted.remote && there.local == wanted.local;
  };
  return std::any_of(holders_.begin(), holders_.end(),
                     [&](const PortHolder* there) { return there != &wanted && is_it(*there); }) ||
         std::any_of(time_waits_.begin(), time_waits_.end(),
                     [&](const TimeWait& there) { return is_it(there.holder); });
}

PortHolder* PortTable::FindListener(const IpEndpoint& local) const {
  PortHolder* best = nullptr;
  int best_fit = 0;
  for (PortHolder* holder : listeners_) {
    if (const int fit = Fit(*holder, local); fit > best_fit) {
      best = holder;
      best_fit = fit;
    }
  }
  return best;
}

void PortTable::AddTimeWait(const PortHolder& holder, absl::Time now) {
  time_waits_.push_back({holder, now + kTimeWait});
  time_waits_.back().holder.index = SIZE_MAX - 1;
}

void PortTable::ForgetTimeWait(const IpEndpoint& local, const IpEndpoint& remote) {
  time_waits_.erase(std::remove_if(time_waits_.begin(), time_waits_.end(),
                                   [&](const TimeWait& there) {
                                     return there.holder.local == local &&
                                            there.holder.remote == remote;
                                   }),
                    time_waits_.end());
}

void PortTable::DropPastTimeWaits(absl::Time now) {
  const auto first_to_keep = std::find_if(time_waits_.begin(), time_waits_.end(),
                                          [&](const TimeWait& there) { return there.end > now; });
  time_waits_.erase(time_waits_.begin(), first_to_keep);
}

}  // namespace rollcall::fault
