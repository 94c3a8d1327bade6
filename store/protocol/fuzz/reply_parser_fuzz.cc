// The first byte picks the kind of reply that a client expects, the second how many texts, the
// third where the bytes are cut; the rest is what a server sends.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "store/protocol/fuzz/pieces.h"
#include "store/protocol/reply.h"
#include "store/protocol/reply_parser.h"
#include "store/protocol/reply_shape.h"
#include "store/protocol/wire_text.h"

namespace rollcall::protocol {
namespace {

struct Expected {
  ReplyKind kind;
  size_t texts;
};

// The reply as a line and the bytes it took; "more" or "broken" if there is none.
struct Outcome {
  std::string line;
  size_t consumed = 0;

  bool operator==(const Outcome&) const = default;
};

Outcome Hear(Expected expected, absl::Span<const absl::string_view> pieces) {
  ReplyParser parser(expected.kind, expected.texts, {.text_bytes_max = 4096, .texts_max = 64});
  Outcome outcome;
  for (absl::string_view piece : pieces) {
    const absl::StatusOr<size_t> consumed = parser.Consume(piece);
    if (!consumed.ok()) return {"broken", 0};
    outcome.consumed += *consumed;
    if (parser.done()) break;
    if (*consumed != piece.size() || parser.missing_bytes() == 0) std::abort();
  }
  outcome.line = parser.done() ? ReplyLine(expected.kind, parser.Take()) : "more";
  return outcome;
}

}  // namespace
}  // namespace rollcall::protocol

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  namespace protocol = rollcall::protocol;
  if (size < 3) return 0;
  const protocol::Expected expected = {
      static_cast<protocol::ReplyKind>(data[0] % protocol::kReplyKindCount), data[1] % size_t{8}};
  const absl::string_view wire(reinterpret_cast<const char*>(data) + 3, size - 3);
  const protocol::Outcome whole = protocol::Hear(expected, {wire});
  if (protocol::Hear(expected, protocol::Pieces(wire, data[2])) != whole) std::abort();
  if (whole.line == "more" || whole.line == "broken") return 0;
  std::string written;
  if (!protocol::AppendReplyLine(whole.line, written).ok()) std::abort();
  if (written != std::string(wire.substr(0, whole.consumed))) std::abort();
  return 0;
}
