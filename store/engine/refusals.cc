#include "store/engine/refusals.h"

#include "absl/strings/str_cat.h"
#include "store/engine/key_space.h"
#include "store/engine/wait_list.h"
#include "store/engine/watch_list.h"

namespace rollcall::engine {

using protocol::Operation;
using protocol::OperationName;

std::string MissingKey(Operation operation, absl::string_view key) {
  return absl::StrCat(OperationName(operation), " of the missing key ", Shown(key),
                      " by a legacy client");
}

std::string NotANumber(Operation operation, absl::string_view key, const absl::Status& why) {
  return absl::StrCat(OperationName(operation), " on the key ", Shown(key), ": ", why.message());
}

std::string TooMuchAwaited(Operation operation) {
  return absl::StrCat(OperationName(operation),
                      " while too much is awaited already: the limits for one connection are ",
                      kPendingWaitsMax, " pending waits and ", kAwaitedBytesMax,
                      " bytes of awaited names");
}

std::string TooManyWatches() {
  return absl::StrCat("more than ", kWatchesMax, " watch_key on one connection");
}

}  // namespace rollcall::engine
