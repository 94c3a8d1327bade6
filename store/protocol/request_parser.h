// Bytes in, requests out: the server's half of the wire protocol.
#ifndef ROLLCALL_STORE_PROTOCOL_REQUEST_PARSER_H_
#define ROLLCALL_STORE_PROTOCOL_REQUEST_PARSER_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "store/protocol/dialect.h"
#include "store/protocol/limits.h"
#include "store/protocol/operation.h"
#include "store/protocol/request.h"
#include "store/protocol/wire.h"

namespace rollcall::protocol {

struct ParserOptions {
  Limits limits;
  // False: a peer that does not open with VALIDATE is refused.
  bool accept_legacy = true;
  // Which table a peer without a greeting uses: it cannot be told from the bytes (FORMAT.md). Not
  // kModern.
  Dialect legacy_dialect = Dialect::kLegacy;
};

// Parses one connection's bytes. Incremental: pieces may be cut anywhere, each byte is looked at
// once, and a length is checked against the limits before memory is taken for it. Memory held is
// bounded by the request in progress. Not thread-safe.
class RequestParser {
 public:
  // `*options` must outlive the parser; it is shared by all connections of a server.
  explicit RequestParser(const ParserOptions* options);

  // Starts over: for a new connection (nullopt), or for one of `dialect` that is between two
  // requests. So that a server with many idle connections needs few parsers. What was fed and not
  // parsed is forgotten.
  void Reset(std::optional<Dialect> dialect);

  // Hands over the next piece; `bytes` must stay alive until Next() has returned nullptr or an
  // error is set. Call Feed again only after that.
  void Feed(absl::string_view bytes);

  // Room for the next bytes of the stream, where they belong anyway: inside a long text of which
  // much is missing, after Next() has returned nullptr. It never reaches the end of the text.
  // Empty: feed them. Lives until the next call of a member that is not const; TookInPlace tells
  // how many bytes were put there.
  absl::Span<char> TextRoom();
  void TookInPlace(size_t count);

  // The request in progress, as far as it has said; all 0 between two.
  struct Extent {
    Operation operation = Operation::kValidate;
    size_t held_bytes = 0;     // Of its texts, with what they take besides.
    size_t missing_bytes = 0;  // Of the text that is on its way.
    bool has_values = false;   // It is one that stores or compares.
  };
  Extent InProgress() const;

  // The next whole request, or nullptr: then either more bytes are needed or status() is not OK.
  // The request belongs to the parser and lives until the next call; the caller may move the texts
  // out of it. What it holds beyond a few kilobytes is freed by the next call.
  Request* Next();

  // What has been fed and not yet parsed. It begins after the request that Next() gave last.
  absl::string_view unread() const { return in_; }

  // OK, or DataLoss once the peer broke the format or a limit: the message names the limit and the
  // value. The state is final: Next() gives nullptr for ever.
  const absl::Status& status() const { return status_; }

  // Set by the first bytes; nullopt while undecided.
  std::optional<Dialect> dialect() const {
    if (!dialect_known_) return std::nullopt;
    return dialect_;
  }

  // True while some, but not all, bytes of a greeting or request have come. False once broken.
  bool mid_request() const {
    return stage_ != Stage::kFirstByte && stage_ != Stage::kOpcode && stage_ != Stage::kComplete &&
           stage_ != Stage::kBroken;
  }

 private:
  // What the next byte belongs to.
  enum class Stage : uint8_t {
    kFirstByte,  // The opcode of a greeting or of a legacy client's first request.
    kMagic,
    kOpcode,
    kCount,
    kTextLength,
    kText,
    kNumber,
    kComplete,  // To no byte: request_ is whole.
    kBroken,
  };

  // Each takes what it can of its stage from in_ and sets the next one. They return false when
  // in_ has run out or the peer broke the format.
  bool Step();
  bool TakeFirstByte();
  bool TakeMagic();
  bool TakeOpcode();
  bool TakeCount();
  bool TakeTextLength();
  bool TakeText();
  void TakeWholeKeys();
  bool TakeNumber();

  // Takes back what TextRoom gave and nobody used; `used` bytes of it were.
  void EndRoom(size_t used = 0);
  void FreeIfLarge();
  void Begin(Operation operation);
  void PlaceTexts(size_t keys);
  void BeginKeyOrNumber();
  bool BeginText(uint64_t length);
  std::string& CurrentText();
  bool Fail(const std::string& message);

  const OperationRow& row() const { return RowOf(request_.operation); }

  // In an order without gaps: a server has one of these for each idle connection.
  const ParserOptions* options_;
  absl::string_view in_;
  absl::Status status_;
  Request request_;
  uint64_t word_ = 0;         // An integer on its way in; in kText, what is missing of the text.
  uint64_t texts_bytes_ = 0;  // Of all texts announced in this request.
  uint32_t keys_left_ = 0;    // With their values; the current one included.
  uint8_t word_bytes_ = 0;    // How many bytes of word_ came in earlier pieces.
  Stage stage_ = Stage::kFirstByte;
  Dialect dialect_ = Dialect::kModern;
  bool dialect_known_ : 1 = false;
  bool has_room_ : 1 = false;        // The current text ends with what TextRoom gave.
  bool texts_in_place_ : 1 = false;  // The request's strings are all there, to be filled in order.
  uint8_t text_of_key_ : 5 = 0;      // 0 for the key itself, i for its i-th value.
};

}  // namespace rollcall::protocol

#endif  // ROLLCALL_STORE_PROTOCOL_REQUEST_PARSER_H_
