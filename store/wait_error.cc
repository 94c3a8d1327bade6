#include "store/wait_error.h"

#include <algorithm>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace rollcall {
namespace {

// A wait for a hundred thousand keys must not make an error of a megabyte.
constexpr size_t kKeysNamedMax = 16;

std::string NameKeys(const std::vector<std::string>& keys, absl::string_view prefix) {
  const size_t named = std::min(keys.size(), kKeysNamedMax);
  std::string names = absl::StrJoin(keys.begin(), keys.begin() + static_cast<std::ptrdiff_t>(named),
                                    ", ", [prefix](std::string* out, const std::string& key) {
                                      absl::StrAppend(out, prefix, absl::Utf8SafeCHexEscape(key));
                                    });
  if (named < keys.size()) absl::StrAppend(&names, " and ", keys.size() - named, " more");
  return names;
}

}  // namespace

void CheckTimeout(absl::Duration timeout) {
  if (timeout < absl::ZeroDuration()) {
    throw std::invalid_argument(absl::StrCat("timeout must not be negative, got ",
                                             absl::FormatDuration(timeout),
                                             "; use absl::InfiniteDuration() to wait for ever"));
  }
}

absl::Status CheckSameSize(size_t keys, size_t values) {
  if (keys == values) return absl::OkStatus();
  return StoreStatus(ErrorCode::kSizeMismatch,
                     absl::StrCat("multiSet keys and values vectors must be of same size, got ",
                                  keys, " keys and ", values, " values"),
                     {.operation = "multi_set"});
}

absl::Status WaitTimeoutError(ErrorDetails details, absl::Duration timeout,
                              absl::string_view note) {
  std::string summary = absl::StrCat("wait timeout after ", absl::ToInt64Milliseconds(timeout),
                                     "ms, keys: ", NameKeys(details.keys, "/"));
  if (!details.missing_keys.empty() && details.missing_keys.size() < details.keys.size()) {
    absl::StrAppend(&summary, "; missing: ", NameKeys(details.missing_keys, "/"));
  }
  absl::StrAppend(&summary, note);
  return StoreStatus(ErrorCode::kWaitTimeout, std::move(summary), std::move(details));
}

absl::Status BarrierTimeoutError(ErrorDetails details, absl::string_view key,
                                 absl::Duration timeout) {
  std::string summary = absl::StrCat("barrier timeout after ", absl::ToInt64Milliseconds(timeout),
                                     "ms, key: ", absl::Utf8SafeCHexEscape(key));
  return StoreStatus(ErrorCode::kBarrierTimeout, std::move(summary), std::move(details));
}

}  // namespace rollcall
