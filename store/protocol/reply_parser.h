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
#include "store/protocol/reply_shape.h"

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
  // that was. DataLoss, and the same ever after, if the reply breaks a limit or has an impossible
  // count.
  absl::StatusOr<size_t> Consume(absl::string_view bytes);

  // How many bytes are known to be missing, at least 1 while not done: what to ask the socket for.
  // 0 once done or broken.
  size_t missing_bytes() const;
  bool done() const { return stage_ == Stage::kDone; }
  // Something of it has come.
  bool begun() const { return begun_; }

  // Only once done, and once.
  OwnedReply Take();

 private:
  enum class Stage : uint8_t { kSignal, kNumber, kTextLength, kText, kDone, kBroken };

  // Takes what it can of the current stage and sets the next one. False when `in` has run out or
  // the reply is broken.
  bool Step(absl::string_view& in);
  bool TakeNumber(absl::string_view& in);
  bool TakeTextLength(absl::string_view& in);
  bool TakeText(absl::string_view& in);
  void TakeWholeTexts(absl::string_view& in);
  void BeginTextOrEnd();
  bool Fail(absl::string_view message);

  const ReplyShape& shape_;
  ReplyLimits limits_;
  uint64_t texts_left_;     // The current one included.
  uint64_t word_ = 0;       // An integer on its way in; in kText, what is missing of the text.
  uint8_t word_bytes_ = 0;  // How many bytes of word_ came in earlier pieces.
  bool begun_ = false;
  Stage stage_;
  uint64_t texts_bytes_ = 0;  // Of all texts announced so far.
  OwnedReply reply_;
  absl::Status status_;
};

}  // namespace rollcall::protocol

#endif  // ROLLCALL_STORE_PROTOCOL_REPLY_PARSER_H_
