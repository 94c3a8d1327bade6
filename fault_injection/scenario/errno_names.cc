#include "fault_injection/scenario/errno_names.h"

#include <netdb.h>

#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "net/net_error.h"
#include "tools/suggest.h"

namespace rollcall::fault {

std::string FaultErrnoName(const CallRow& row, int value) {
  if (row.call != Call::kGetAddrInfo) return net::ErrnoName(value);
  switch (-value) {
    case EAI_AGAIN:
      return "EAI_AGAIN";
    case EAI_FAIL:
      return "EAI_FAIL";
    case EAI_NONAME:
      return "EAI_NONAME";
    case EAI_MEMORY:
      return "EAI_MEMORY";
    default:
      return absl::StrCat("EAI ", -value);
  }
}

absl::StatusOr<const CallRow*> CallNamed(absl::string_view name) {
  std::vector<absl::string_view> names;
  for (const CallRow& row : CallTable()) {
    if (row.name == name) return &row;
    names.push_back(row.name);
  }
  const absl::string_view nearest = tools::NearestWord(name, names);
  return absl::InvalidArgumentError(
      absl::StrCat("there is no system call \"", name, "\" here; ",
                   nearest.empty() ? absl::StrCat("there are ", absl::StrJoin(names, ", "))
                                   : absl::StrCat("did you mean \"", nearest, "\"?")));
}

absl::StatusOr<int> LegalErrnoNamed(const CallRow& row, absl::string_view name) {
  std::vector<std::string> names;
  for (const int value : row.legal_errnos) {
    names.push_back(FaultErrnoName(row, value));
    if (names.back() == name) return value;
  }
  return absl::InvalidArgumentError(absl::StrCat(row.name, " never fails with ", name,
                                                 "; it may with ", absl::StrJoin(names, ", ")));
}

}  // namespace rollcall::fault
