#include "store/server/server_snapshot.h"

namespace rollcall {

const NameSpaceSnapshot* ServerSnapshot::Find(absl::string_view name_space) const {
  if (name_space == kDefaultNameSpace) name_space = "";
  for (const NameSpaceSnapshot& space : name_spaces) {
    if (space.name == name_space) return &space;
  }
  return nullptr;
}

}  // namespace rollcall
