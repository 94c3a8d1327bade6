// One reply, not yet encoded: what the engine gives and the reply writer takes.
#ifndef ROLLCALL_STORE_PROTOCOL_REPLY_H_
#define ROLLCALL_STORE_PROTOCOL_REPLY_H_

#include <cstdint>
#include <string>

#include "absl/container/inlined_vector.h"
#include "absl/strings/string_view.h"

namespace rollcall::protocol {

// The one-byte answers. Check and wait have tables of their own on the wire.
inline constexpr uint8_t kReady = 0;
inline constexpr uint8_t kNotReady = 1;
inline constexpr uint8_t kStopWaiting = 0;
inline constexpr uint8_t kWaitCanceled = 1;
// Legacy watch channels.
inline constexpr uint8_t kKeyUpdated = 0;
inline constexpr uint8_t kKeyCreated = 1;
inline constexpr uint8_t kKeyDeleted = 2;
inline constexpr uint8_t kCallbackRegistered = 3;
inline constexpr uint8_t kKeyAppended = 4;

enum class ReplyKind : uint8_t {
  kSignal,    // u8 signal
  kNumber,    // i64 number
  kNonce,     // u32 number
  kBytes,     // str texts[0]
  kTexts,     // each of texts as str, with no count before them (multi_get)
  kList,      // i64 count, then each of texts as str (list_keys)
  kPopped,    // i64 number; if it is > 0, str texts[0] (queue_pop)
  kKeyEvent,  // u8 signal, then texts[0..2] as str: key, old value, new value (watch_key)
  kHangUp,    // nothing is sent: the connection must be closed; `reason` says why (for the log)
};

// Why a connection must be closed.
enum class HangUpCause : uint8_t {
  kBadRequest,  // What was asked for cannot be answered.
  kStoreFull,   // What was to be written has no room.
};

// Texts are views into the engine's memory: encode them before the engine is called again.
struct Reply {
  ReplyKind kind = ReplyKind::kSignal;
  uint8_t signal = 0;
  int64_t number = 0;
  absl::InlinedVector<absl::string_view, 1> texts;
  HangUpCause cause = HangUpCause::kBadRequest;
  std::string reason;
};

}  // namespace rollcall::protocol

#endif  // ROLLCALL_STORE_PROTOCOL_REPLY_H_
