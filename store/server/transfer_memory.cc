#include "store/server/transfer_memory.h"

#include "store/engine/table_memory.h"

namespace rollcall {

LoopTransfers::~LoopTransfers() {
  for (const auto& [client, share] : shares_) memory_.Change(share.requests + share.replies, 0);
}

void LoopTransfers::Set(engine::ClientId client, size_t Share::*part, size_t bytes) {
  auto found = shares_.find(client);
  if (found == shares_.end()) {
    if (bytes == 0) return;
    found = shares_.emplace(client, Share()).first;
  }
  Share& share = found->second;
  memory_.Change(share.*part, bytes);
  share.*part = bytes;
  if (share.requests + share.replies > 0) return;
  shares_.erase(found);
  engine::ReleaseSpareCapacity(shares_);
}

void LoopTransfers::SetRequests(engine::ClientId client, size_t bytes) {
  Set(client, &Share::requests, bytes);
}

void LoopTransfers::SetReplies(engine::ClientId client, size_t bytes) {
  Set(client, &Share::replies, bytes);
}

void LoopTransfers::Forget(engine::ClientId client) {
  SetRequests(client, 0);
  SetReplies(client, 0);
}

LoopTransfers::Share LoopTransfers::Of(engine::ClientId client) const {
  const auto found = shares_.find(client);
  return found == shares_.end() ? Share() : found->second;
}

std::optional<engine::ClientId> LoopTransfers::FurthestBehind() const {
  std::optional<engine::ClientId> furthest;
  size_t most = 0;
  for (const auto& [client, share] : shares_) {
    if (share.replies < most || share.replies == 0) continue;
    // Of equals the one that came last, whatever the table's order.
    if (share.replies == most && furthest.has_value() && client < *furthest) continue;
    most = share.replies;
    furthest = client;
  }
  return furthest;
}

}  // namespace rollcall
