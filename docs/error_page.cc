#include "docs/error_page.h"

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "store/error_code.h"

namespace rollcall {
namespace {

constexpr char kIntroduction[] = R"(# Errors

<!-- Made from store/error_code.cc by `bazel run //docs:update_errors`; a test fails when they differ. -->

Everything that a store, the factory or a collective raises is a `rollcall::DistError`, which is a
`std::runtime_error`:

| class | what it says |
|---|---|
| `DistStoreError` | the store answered, or would have, but not with what was asked for |
| `DistQueueEmptyError` | a `DistStoreError`: there was nothing to pop |
| `DistNetworkError` | the store could not be reached, or was lost |

Arguments that make no sense raise `std::invalid_argument`. Each `DistError` has a `code()`, whose
name and meaning stay, and `details()`: the operation, the keys, the peer, the attempts, the time
that passed, and which ranks or keys were missing. `what()` has all of it in one line:

    wait timeout after 250ms, keys: /leader_addr [WAIT_TIMEOUT in wait of key "leader_addr"; store
    node0:29500; after 250ms] Look at the rank that should have set the missing key, or wait longer.

A call that failed leaves the store usable: after a time-out as if nothing had happened, after a lost
connection because the next call connects anew. Where it is not known whether a request that changes
something was applied, the error says so; nothing is repeated behind your back.

)";

std::string Anchor(absl::string_view name) { return absl::AsciiStrToLower(name); }

}  // namespace

std::string RenderErrorPage() {
  std::string page = kIntroduction;
  absl::StrAppend(&page, "| code | raised as | meaning |\n|---|---|---|\n");
  for (const ErrorCodeInfo& info : AllErrorCodes()) {
    absl::StrAppend(&page, "| [", info.name, "](#", Anchor(info.name), ") | `", info.error_class,
                    "` | ", info.meaning, " |\n");
  }
  for (const ErrorCodeInfo& info : AllErrorCodes()) {
    absl::StrAppend(&page, "\n## ", info.name, "\n\n", info.meaning,
                    "\n\n- Usual cause: ", info.cause, "\n- What to do: ", info.remedy, "\n");
  }
  return page;
}

}  // namespace rollcall
