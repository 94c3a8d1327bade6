#include "store/etcd/etcd_names.h"

#include <string>

#include "absl/strings/str_cat.h"

namespace rollcall::etcd {

std::string EtcdNames::Lease() const { return absl::StrCat(prefix_, "/lease"); }

std::string EtcdNames::Key(absl::string_view key) const {
  return absl::StrCat(prefix_, "/k/", key);
}

absl::string_view EtcdNames::KeyOf(absl::string_view name) const {
  return name.substr(prefix_.size() + sizeof("/k/") - 1);
}

std::string EtcdNames::Queue(absl::string_view queue) const {
  return absl::StrCat(prefix_, "/q/", absl::Hex(queue.size(), absl::kZeroPad8), "/", queue, "/");
}

std::string EtcdNames::Slots(absl::string_view client) const {
  return absl::StrCat(prefix_, "/w/", client, "/");
}

std::string EndOf(std::string beginning) {
  while (!beginning.empty() && beginning.back() == '\xff') beginning.pop_back();
  // etcd's name for "to the very end".
  if (beginning.empty()) return std::string(1, '\0');
  beginning.back() = static_cast<char>(static_cast<unsigned char>(beginning.back()) + 1);
  return beginning;
}

}  // namespace rollcall::etcd
