// Bytes in, requests out: the server's half of the wire protocol.
#ifndef ROLLCALL_STORE_PROTOCOL_REQUEST_PARSER_H_
#define ROLLCALL_STORE_PROTOCOL_REQUEST_PARSER_H_

#include <optional>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "store/protocol/dialect.h"
#include "store/protocol/limits.h"
#include "store/protocol/request.h"

namespace rollcall::protocol {

struct ParserOptions {
  Limits limits;
  // False: a peer that does not open with VALIDATE is refused.
  bool accept_legacy = true;
  // Which table a peer without a greeting uses: it cannot be told from the bytes (FORMAT.md).
  Dialect legacy_dialect = Dialect::kLegacy;
};

// Parses one connection's bytes. Incremental: pieces may be cut anywhere, each byte is looked at
// once, and a length is checked against the limits before memory is taken for it. Memory held is
// bounded by the request in progress. Not thread-safe.
class RequestParser {
 public:
  // `*options` must outlive the parser; it is shared by all connections of a server.
  explicit RequestParser(const ParserOptions* options);

  // Hands over the next piece; `bytes` must stay alive until Next() has returned nullptr or an
  // error is set. Call Feed again only after that.
  void Feed(absl::string_view bytes);

  // The next whole request, or nullptr: then either more bytes are needed or status() is not OK.
  // The request belongs to the parser and lives until the next call; the caller may move the texts
  // out of it.
  Request* Next();

  // OK, or DataLoss once the peer broke the format or a limit: the message names the limit and the
  // value. The state is final: Next() gives nullptr for ever.
  const absl::Status& status() const;

  // Set by the first bytes; nullopt while undecided.
  std::optional<Dialect> dialect() const;

  // True while some, but not all, bytes of a greeting or request have come.
  bool mid_request() const;
};

}  // namespace rollcall::protocol

#endif  // ROLLCALL_STORE_PROTOCOL_REQUEST_PARSER_H_
