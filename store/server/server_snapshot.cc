#include "store/server/server_snapshot.h"

namespace rollcall {

void StoreFigures::MergeFrom(const StoreFigures& other) {
  waiting_clients += other.waiting_clients;
  keys += other.keys;
  queues += other.queues;
  key_bytes += other.key_bytes;
  value_bytes += other.value_bytes;
  memory_bytes += other.memory_bytes;
  waiting_times.MergeFrom(other.waiting_times);
}

std::string NameSpaceSnapshot::ShownName() const { return name.empty() ? kDefaultNameSpace : name; }

std::optional<absl::Duration> NameSpaceSnapshot::LongestWait(absl::Time now) const {
  if (waits.empty()) return std::nullopt;
  return now - waits.front().since;
}

const NameSpaceSnapshot* ServerSnapshot::Find(absl::string_view name_space) const {
  if (name_space == kDefaultNameSpace) name_space = "";
  for (const NameSpaceSnapshot& space : name_spaces) {
    if (space.name == name_space) return &space;
  }
  return nullptr;
}

StoreFigures ServerSnapshot::TotalFigures() const {
  StoreFigures total;
  for (const NameSpaceSnapshot& space : name_spaces) total.MergeFrom(space);
  return total;
}

}  // namespace rollcall
