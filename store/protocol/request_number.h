// How a client numbers requests that must not be applied twice: see FORMAT.md on sessions.
#ifndef ROLLCALL_STORE_PROTOCOL_REQUEST_NUMBER_H_
#define ROLLCALL_STORE_PROTOCOL_REQUEST_NUMBER_H_

#include <cstdint>
#include <optional>

namespace rollcall::protocol {

struct RequestNumber {
  static constexpr int kUnansweredBits = 16;
  static constexpr int64_t kUnansweredMax = (int64_t{1} << kUnansweredBits) - 1;
  static constexpr int64_t kNumberMax = (int64_t{1} << (63 - kUnansweredBits)) - 1;

  int64_t number = 1;      // From 1 on, within the session.
  int64_t unanswered = 0;  // The answers to all before number - unanswered have come.

  // What travels.
  constexpr int64_t Pack() const { return number << kUnansweredBits | unanswered; }
  // nullopt: it is none.
  static constexpr std::optional<RequestNumber> Unpack(int64_t packed) {
    if (packed < 0) return std::nullopt;
    const RequestNumber unpacked{.number = packed >> kUnansweredBits,
                                 .unanswered = packed & kUnansweredMax};
    if (unpacked.number < 1 || unpacked.unanswered >= unpacked.number) return std::nullopt;
    return unpacked;
  }
};

// The longest name of a session.
inline constexpr uint64_t kSessionNameBytesMax = 64;

}  // namespace rollcall::protocol

#endif  // ROLLCALL_STORE_PROTOCOL_REQUEST_NUMBER_H_
