// How a client learns what a server can do beyond torch's, without a request that torch's do not
// know.
#ifndef ROLLCALL_STORE_PROTOCOL_FEATURES_H_
#define ROLLCALL_STORE_PROTOCOL_FEATURES_H_

#include <cstdint>
#include <optional>

#include "absl/strings/string_view.h"

namespace rollcall::protocol {

// A ping with this number asks. Every server answers a ping with its number; ours answers this one
// with bits set in its lower half, which are its features. No torch client sends it: they ping with
// their process id, which Linux keeps below 2^22.
inline constexpr uint32_t kAskFeatures = 0x524C'0000;
inline constexpr uint32_t kFeatureBits = 0x0000'FFFF;
// So does one with this in its upper half, whose lower half is the rank that asks: one that has
// joined before, on another connection, and now has come by a new one.
inline constexpr uint32_t kAskFeaturesAsRank = 0x524D'0000;

// A modern get of a missing key is answered with an empty text. Torch's poll server hangs up.
inline constexpr uint32_t kAnswersGetOfMissingKey = 1 << 0;

// The server serves nobody who has not sent a token: the next request must be
// compare_set(kTokenKey, "", token). It answers kTokenAccepted, or why not, and then closes.
inline constexpr uint32_t kWantsToken = 1 << 1;
inline constexpr absl::string_view kTokenKey = "rollcall/token";
inline constexpr absl::string_view kTokenAccepted = "accepted";

// What the server answers is on its disk, and it knows sessions and numbered requests: a client
// whose connection broke can send a request again, and it is not applied twice (FORMAT.md).
inline constexpr uint32_t kKeepsJournal = 1 << 2;

// Before it closes a connection for a reason that its client can do something about, the server
// says goodbye (goodbye.h) to whoever has asked what it can do.
inline constexpr uint32_t kSaysGoodbye = 1 << 3;

// What the server of this tree can do, whatever it is made of.
inline constexpr uint32_t kServerFeatures = kAnswersGetOfMissingKey | kSaysGoodbye;

// What to ping with. A rank that does not fit is not told.
inline constexpr uint32_t AskFeaturesAs(std::optional<int> rank) {
  const bool fits = rank.has_value() && *rank >= 0 && *rank <= static_cast<int>(kFeatureBits);
  return fits ? kAskFeaturesAsRank | static_cast<uint32_t>(*rank) : kAskFeatures;
}

// nullopt: a ping with `number` tells none.
inline constexpr std::optional<int> RankToldBy(int64_t number) {
  if ((number & ~int64_t{kFeatureBits}) != kAskFeaturesAsRank) return std::nullopt;
  return static_cast<int>(number & kFeatureBits);
}

inline constexpr bool AsksFeatures(int64_t number) {
  return number == kAskFeatures || RankToldBy(number).has_value();
}

// What a ping with `number` is answered with, by a server with `features`.
inline constexpr int64_t PingAnswer(int64_t number, uint32_t features = kServerFeatures) {
  return AsksFeatures(number) ? kAskFeatures | features : number;
}

// The features in an answer to a ping with `asked`, which asks for them; nullopt: it is no answer.
inline constexpr std::optional<uint32_t> FeaturesIn(uint32_t answer, uint32_t asked) {
  if ((answer & ~kFeatureBits) == kAskFeatures) return answer & kFeatureBits;
  if (answer == asked) return 0;
  return std::nullopt;
}

}  // namespace rollcall::protocol

#endif  // ROLLCALL_STORE_PROTOCOL_FEATURES_H_
