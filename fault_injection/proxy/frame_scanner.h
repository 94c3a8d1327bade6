// Where the frames of the store's protocol begin and end, in a stream that somebody else reads.
#ifndef ROLLCALL_FAULT_INJECTION_PROXY_FRAME_SCANNER_H_
#define ROLLCALL_FAULT_INJECTION_PROXY_FRAME_SCANNER_H_

#include <cstddef>
#include <cstdint>
#include <deque>

#include "absl/strings/string_view.h"
#include "store/protocol/dialect.h"
#include "store/protocol/operation.h"
#include "store/protocol/reply.h"

namespace rollcall::fault {

// The piece of a frame that lies at the front of some bytes. Bytes that belong to no frame neither
// begin nor end one.
struct FramePart {
  size_t size_bytes = 0;
  bool begins = false;
  bool ends = false;
};

// One direction of one connection. It skips over texts and holds none, so that a connection that
// is only looked at costs next to nothing. Who does not speak the protocol (a TLS handshake, an
// impossible length) is found out soon; from then on there are no frames.
class FrameScanner {
 public:
  virtual ~FrameScanner() = default;
  // Of `bytes`, not empty, which follow those of the last part.
  FramePart Next(absl::string_view bytes);
  // The bytes are no frames, for ever.
  bool is_lost() const { return is_lost_; }

 protected:
  enum class Step { kGoesOn, kFrameEnds };

  // Takes at least one byte from the front of `in`, or calls Lose().
  virtual Step Take(absl::string_view& in) = 0;
  void Lose() { is_lost_ = true; }
  // Takes what it can of an integer. True once it is whole, in word().
  bool TakeWord(absl::string_view& in, int size_bytes);
  uint64_t word() const { return word_; }
  // The next word has these low bytes already.
  void PreloadWord(uint64_t low_bits, int size_bytes);
  // word() is the length of a text; false, and lost, if no store would take one so long.
  bool BeginText();
  bool TakeText(absl::string_view& in);
  bool text_is_empty() const { return text_left_ == 0; }

 private:
  uint64_t word_ = 0;
  int word_bytes_ = 0;
  uint64_t text_left_ = 0;
  bool in_frame_ = false;
  bool is_lost_ = false;
};

// Replies say neither what they are nor how long: it takes the requests. They are expected in the
// order of the requests; that a `wait` is overtaken is understood only where a `cancel_wait` does
// it, which is what clients do.
class ReplyScanner final : public FrameScanner {
 public:
  // A request of `keys` keys goes to the server.
  void Expect(protocol::Operation operation, uint64_t keys);

 private:
  enum class Stage : uint8_t { kBegin, kNumber, kLength, kText };
  struct Expected {
    protocol::ReplyKind kind = protocol::ReplyKind::kSignal;
    uint64_t texts = 0;
    bool is_wait = false;
    bool is_cancel = false;
  };

  Step Take(absl::string_view& in) override;
  Step Begin(absl::string_view& in);
  Step AfterNumber();
  Step NextText();

  std::deque<Expected> expected_;
  bool watches_ = false;  // What comes unasked is a key event.
  Expected current_;
  Stage stage_ = Stage::kBegin;
  uint64_t texts_left_ = 0;
};

// The greeting of a modern client is a frame of its own, the first.
class RequestScanner final : public FrameScanner {
 public:
  // Each whole request is told to `*replies`, which must outlive this.
  RequestScanner(protocol::Dialect legacy_dialect, ReplyScanner* replies)
      : legacy_dialect_(legacy_dialect), replies_(*replies) {}

  // What was forwarded last is forwarded once more.
  void RepeatLast() { replies_.Expect(operation_, keys_); }

 private:
  enum class Stage : uint8_t { kFirst, kMagic, kOpcode, kCount, kLength, kText, kNumber };

  Step Take(absl::string_view& in) override;
  Step TakeFirst(absl::string_view& in);
  Step TakeMagic(absl::string_view& in);
  Step BeginRequest(protocol::Operation operation);
  Step BeginTexts(uint64_t keys);
  Step NextText();
  Step EndRequest();

  const protocol::Dialect legacy_dialect_;
  ReplyScanner& replies_;
  Stage stage_ = Stage::kFirst;
  protocol::Dialect dialect_ = protocol::Dialect::kModern;
  protocol::Operation operation_ = protocol::Operation::kValidate;
  uint64_t keys_ = 0;
  uint64_t texts_left_ = 0;
};

}  // namespace rollcall::fault

#endif  // ROLLCALL_FAULT_INJECTION_PROXY_FRAME_SCANNER_H_
