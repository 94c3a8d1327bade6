// How a client learns what a server can do beyond torch's, without a request that torch's do not
// know.
#ifndef ROLLCALL_STORE_PROTOCOL_FEATURES_H_
#define ROLLCALL_STORE_PROTOCOL_FEATURES_H_

#include <cstdint>

#include "absl/strings/string_view.h"

namespace rollcall::protocol {

// A ping with this number asks. Every server answers a ping with its number; ours answers this one
// with bits set in its lower half, which are its features. No torch client sends it: they ping with
// their process id, which Linux keeps below 2^22.
inline constexpr uint32_t kAskFeatures = 0x524C'0000;
inline constexpr uint32_t kFeatureBits = 0x0000'FFFF;

// A modern get of a missing key is answered with an empty text. Torch's poll server hangs up.
inline constexpr uint32_t kAnswersGetOfMissingKey = 1 << 0;

// The server serves nobody who has not sent a token: the next request must be
// compare_set(kTokenKey, "", token). It answers kTokenAccepted, or why not, and then closes.
inline constexpr uint32_t kWantsToken = 1 << 1;
inline constexpr absl::string_view kTokenKey = "rollcall/token";
inline constexpr absl::string_view kTokenAccepted = "accepted";

// What the server of this tree can do.
inline constexpr uint32_t kServerFeatures = kAnswersGetOfMissingKey;

// What a ping with `number` is answered with.
inline constexpr int64_t PingAnswer(int64_t number) {
  return number == kAskFeatures ? kAskFeatures | kServerFeatures : number;
}

// Whether `answer` answers a ping of kAskFeatures, with whatever features.
inline constexpr bool AnswersAskFeatures(uint32_t answer) {
  return (answer & ~kFeatureBits) == kAskFeatures;
}

}  // namespace rollcall::protocol

#endif  // ROLLCALL_STORE_PROTOCOL_FEATURES_H_
