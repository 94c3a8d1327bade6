// Why a client is hung up on for what it has asked for itself: in the same words by every engine.
#ifndef ROLLCALL_STORE_ENGINE_REFUSALS_H_
#define ROLLCALL_STORE_ENGINE_REFUSALS_H_

#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "store/protocol/operation.h"

namespace rollcall::engine {

// Only a legacy client: its protocol has no word for it.
std::string MissingKey(protocol::Operation operation, absl::string_view key);
// `why` is ParseCounter's, of what the key holds.
std::string NotANumber(protocol::Operation operation, absl::string_view key,
                       const absl::Status& why);
std::string TooMuchAwaited(protocol::Operation operation);
std::string TooManyWatches();

}  // namespace rollcall::engine

#endif  // ROLLCALL_STORE_ENGINE_REFUSALS_H_
