// The client's half, incoming: bytes in, one reply out.
#ifndef ROLLCALL_STORE_PROTOCOL_REPLY_PARSER_H_
#define ROLLCALL_STORE_PROTOCOL_REPLY_PARSER_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "store/protocol/reply.h"

namespace rollcall::protocol {

// What a reply parser may believe: a server that lies about a length must not make a client
// allocate it.
struct ReplyLimits {
  // Of one text, and of one whole reply.
  uint64_t text_bytes_max = uint64_t{1} << 30;
  uint64_t texts_max = uint64_t{16} << 20;
};

// A decoded reply, which owns its texts. Fields as in Reply.
struct OwnedReply {
  uint8_t signal = 0;
  int64_t number = 0;
  std::vector<std::string> texts;
};

// Parses exactly one reply. Incremental, pieces cut anywhere, each byte looked at once.
class ReplyParser {
 public:
  // `texts` is how many texts a kTexts reply has: the wire does not say. Other kinds ignore it.
  explicit ReplyParser(ReplyKind kind, size_t texts = 0, ReplyLimits limits = {});

  // Consumes from the front of `bytes` at most what belongs to this reply, and says how many bytes
  // that was. DataLoss if the reply breaks a limit or has an impossible count.
  absl::StatusOr<size_t> Consume(absl::string_view bytes);

  // How many bytes are known to be missing, at least 1 while not done: what to ask the socket for.
  size_t missing_bytes() const;
  bool done() const;

  // Only once done.
  OwnedReply Take();
};

}  // namespace rollcall::protocol

#endif  // ROLLCALL_STORE_PROTOCOL_REPLY_PARSER_H_
