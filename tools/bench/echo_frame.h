// The frames that the echo limit understands: how long a request is, how many bytes its answer has,
// and when that is due. Nothing else of a request means anything to it.
#ifndef ROLLCALL_TOOLS_BENCH_ECHO_FRAME_H_
#define ROLLCALL_TOOLS_BENCH_ECHO_FRAME_H_

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "absl/strings/string_view.h"

namespace rollcall::bench {

enum class EchoKind : uint8_t {
  kAnswer,   // Answers at once.
  kHold,     // Answers when the gate is opened; at once where it is open.
  kOpen,     // Opens the gate for good, and answers.
  kPassOne,  // Lets one through: who holds the gate, else the next that will. And answers.
};

inline constexpr int kEchoGates = 1 << 14;

struct EchoFrame {
  uint32_t request_bytes = 0;  // With the header.
  uint32_t answer_bytes = 0;
  EchoKind kind = EchoKind::kAnswer;
  uint16_t gate = 0;  // < kEchoGates
};

// Fits into the shortest request of a TCPStore, a greeting.
inline constexpr size_t kEchoHeaderBytes = 10;

inline void PutEchoHeader(const EchoFrame& frame, char* to) {
  const auto gate_and_kind =
      static_cast<uint16_t>(frame.gate << 2 | static_cast<uint16_t>(frame.kind));
  std::memcpy(to, &frame.request_bytes, 4);
  std::memcpy(to + 4, &frame.answer_bytes, 4);
  std::memcpy(to + 8, &gate_and_kind, 2);
}

// `in` has at least kEchoHeaderBytes.
inline EchoFrame EchoHeaderOf(absl::string_view in) {
  EchoFrame frame;
  uint16_t gate_and_kind;
  std::memcpy(&frame.request_bytes, in.data(), 4);
  std::memcpy(&frame.answer_bytes, in.data() + 4, 4);
  std::memcpy(&gate_and_kind, in.data() + 8, 2);
  frame.kind = static_cast<EchoKind>(gate_and_kind & 3);
  frame.gate = static_cast<uint16_t>(gate_and_kind >> 2);
  return frame;
}

}  // namespace rollcall::bench

#endif  // ROLLCALL_TOOLS_BENCH_ECHO_FRAME_H_
