#include "store/client/resumption.h"

#include <algorithm>

#include "store/client/call.h"
#include "store/client/lane.h"
#include "store/dist_error.h"

namespace rollcall::client {

bool Resumption::TryAgain(const absl::Status& why) {
  if (!channels_.keeps_journal() || IsSessionLost(why)) return false;
  if (CodeOf(why) != ErrorCode::kConnectionLost) return false;
  if (IsOrderlyHangUp(why)) ++orderly_hang_ups_;
  if (orderly_hang_ups_ > kHangUpsMax || channels_.is_closed()) return false;
  const absl::Time now = env_.Now();
  if (now >= deadline_) return false;
  channels_.SleepUntil(std::min(deadline_, now + backoff_.Next(env_.RandomBits())));
  return env_.Now() < deadline_ && !channels_.is_closed();
}

}  // namespace rollcall::client
