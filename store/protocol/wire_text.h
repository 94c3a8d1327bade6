// Requests and replies as lines of text: what tests, fuzz targets and the examples of FORMAT.md say
// them in. A line is a name, then texts in quotes (with C escapes) and numbers, in wire order:
//
//   set "/k" "v"      multi_set "/a" "1" "/b" "2"      add "/n" -7      num_keys      validate
//   signal 0          popped 2 "v"      list "/a" "/b"      key_event 1 "/k" "" "v"
#ifndef ROLLCALL_STORE_PROTOCOL_WIRE_TEXT_H_
#define ROLLCALL_STORE_PROTOCOL_WIRE_TEXT_H_

#include <ostream>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "store/protocol/dialect.h"
#include "store/protocol/operation.h"
#include "store/protocol/reply.h"
#include "store/protocol/reply_parser.h"
#include "store/protocol/request.h"
#include "store/protocol/request_parser.h"

namespace rollcall::protocol {

std::string RequestLine(const Request& request);
std::string ReplyLine(ReplyKind kind, const OwnedReply& reply);

// Append what the writers make of a line. InvalidArgument if the line is none; Unimplemented if
// `dialect` cannot say it.
absl::Status AppendRequestLine(Dialect dialect, absl::string_view line, std::string& out);
absl::Status AppendReplyLine(absl::string_view line, std::string& out);

// The same, for lines that must be right: "" where the dialect cannot say it.
std::string RequestBytes(Dialect dialect, absl::string_view line);

// "signal", "number", ...: the name in a reply's line.
absl::string_view ReplyKindName(ReplyKind kind);

// What a parser made of bytes that came in `pieces`.
struct Heard {
  std::vector<std::string> requests;
  bool broken = false;

  bool operator==(const Heard&) const = default;
};
std::ostream& operator<<(std::ostream& out, const Heard& heard);
Heard HearPieces(const ParserOptions& options, absl::Span<const absl::string_view> pieces);

// A line or two for every operation, kValidate excepted; some are beyond a dialect.
absl::Span<const absl::string_view> SampleRequests();

// What a client of `dialect` says before all else: VALIDATE or nothing.
std::string Greeting(Dialect dialect);

// "00 CE F7", and back; blanks are optional. Unhex of something else is "".
std::string Hex(absl::string_view bytes);
std::string Unhex(absl::string_view hex);

inline constexpr Dialect kDialects[] = {Dialect::kModern, Dialect::kLegacy, Dialect::kTorch21};

}  // namespace rollcall::protocol

#endif  // ROLLCALL_STORE_PROTOCOL_WIRE_TEXT_H_
