#include "store/server/peer_counts.h"

#include <algorithm>

#include "store/engine/table_memory.h"

namespace rollcall {
namespace {

constexpr size_t kForgetAtMin = 64;

}  // namespace

std::optional<PeerCounts::Ticket> PeerCounts::Admit(const net::SocketAddress& peer) {
  if (connections_max_ == 0) return Ticket();
  std::shared_ptr<std::atomic<size_t>>& count = counts_[peer.ip_bytes()];
  if (count == nullptr) count = std::make_shared<std::atomic<size_t>>(0);
  // Only this thread adds, so there may be fewer than were counted but not more.
  if (count->load() >= connections_max_) return std::nullopt;
  count->fetch_add(1);
  Ticket ticket(count);
  if (counts_.size() >= std::max(forget_at_, kForgetAtMin)) ForgetThoseWithNone();
  return ticket;
}

void PeerCounts::ForgetThoseWithNone() {
  absl::erase_if(counts_, [](const auto& entry) { return entry.second->load() == 0; });
  engine::ReleaseSpareCapacity(counts_);
  // So that each who comes pays for a few of those that went.
  forget_at_ = 2 * counts_.size();
}

}  // namespace rollcall
