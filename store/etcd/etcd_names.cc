#include "store/etcd/etcd_names.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/strip.h"

namespace rollcall::etcd {

namespace {

// How many hexadecimal digits a queue's length has, and the slash behind them.
constexpr size_t kLengthBytes = 9;

}  // namespace

bool EtcdNames::TakeUsersName(absl::string_view& name) const {
  if (style_ == KeyStyle::kOfStore) return true;
  return absl::ConsumePrefix(&name, "/");
}

std::string EtcdNames::Lease() const { return absl::StrCat(prefix_, "/lease"); }

std::string EtcdNames::UserKeys() const { return absl::StrCat(prefix_, "/k/"); }

std::string EtcdNames::OtherKeys() const { return absl::StrCat(prefix_, "/r/"); }

std::string EtcdNames::Key(absl::string_view key) const {
  const bool is_users = TakeUsersName(key);
  return absl::StrCat(is_users ? UserKeys() : OtherKeys(), key);
}

absl::string_view EtcdNames::KeyOf(absl::string_view name) const {
  return name.substr(prefix_.size() + sizeof("/k/") - 1);
}

std::string EtcdNames::Queue(absl::string_view queue) const {
  const bool is_users = TakeUsersName(queue);
  return absl::StrCat(prefix_, is_users ? "/q/" : "/s/", absl::Hex(queue.size(), absl::kZeroPad8),
                      "/", queue, "/");
}

std::string EtcdNames::Slots(absl::string_view client) const {
  return absl::StrCat(prefix_, "/w/", client, "/");
}

std::string EtcdNames::ContentsEnd() const { return EndOf(absl::StrCat(prefix_, "/s/")); }

EtcdNames::Place EtcdNames::PlaceOf(absl::string_view name) const {
  if (!absl::ConsumePrefix(&name, prefix_) || name.size() < 3) return {};
  const absl::string_view kind = name.substr(0, 3);
  name.remove_prefix(kind.size());
  const bool is_users = kind == "/k/" || kind == "/q/";
  const absl::string_view before = is_users && style_ == KeyStyle::kOfWire ? "/" : "";
  if (kind == "/k/" || kind == "/r/") {
    return {.kind = Place::kKey, .name = absl::StrCat(before, name)};
  }
  if (kind != "/q/" && kind != "/s/") return {};
  uint64_t length = 0;
  if (!absl::SimpleHexAtoi(name.substr(0, kLengthBytes - 1), &length)) return {};
  name.remove_prefix(std::min(name.size(), kLengthBytes));
  if (name.size() <= length) return {};
  return {.kind = Place::kElement, .name = absl::StrCat(before, name.substr(0, length))};
}

std::string PrefixOfSpace(absl::string_view prefix, absl::string_view name_space) {
  // Not even a strange name may be the beginning of another's keys.
  return absl::StrCat(prefix, "/space/",
                      absl::StrReplaceAll(name_space, {{"%", "%25"}, {"/", "%2F"}}));
}

std::string EndOf(std::string beginning) {
  while (!beginning.empty() && beginning.back() == '\xff') beginning.pop_back();
  // etcd's name for "to the very end".
  if (beginning.empty()) return std::string(1, '\0');
  beginning.back() = static_cast<char>(static_cast<unsigned char>(beginning.back()) + 1);
  return beginning;
}

}  // namespace rollcall::etcd
