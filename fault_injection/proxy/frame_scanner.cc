#include "fault_injection/proxy/frame_scanner.h"

#include <algorithm>
#include <optional>

#include "store/protocol/reply_of.h"
#include "store/protocol/reply_shape.h"

namespace rollcall::fault {
namespace {

using protocol::Dialect;
using protocol::KeyFields;
using protocol::NumberField;
using protocol::Operation;
using protocol::ReplyKind;
using protocol::TextCount;

// What no store takes, with room above every limit that a user may set.
constexpr uint64_t kTextBytesMax = uint64_t{1} << 32;
constexpr uint64_t kTextsMax = uint64_t{1} << 28;
constexpr int kLengthBytes = 8;
constexpr int kMagicBytes = 4;

uint8_t TakeByte(absl::string_view& in) {
  const uint8_t byte = static_cast<uint8_t>(in.front());
  in.remove_prefix(1);
  return byte;
}

}  // namespace

// --- Both directions ---

FramePart FrameScanner::Next(absl::string_view bytes) {
  if (is_lost_) return {.size_bytes = bytes.size()};
  FramePart part;
  part.begins = !in_frame_;
  absl::string_view in = bytes;
  in_frame_ = true;
  while (!in.empty()) {
    const Step step = Take(in);
    if (is_lost_) return {.size_bytes = bytes.size()};
    if (step == Step::kFrameEnds) {
      in_frame_ = false;
      part.ends = true;
      break;
    }
  }
  part.size_bytes = bytes.size() - in.size();
  return part;
}

bool FrameScanner::TakeWord(absl::string_view& in, int size_bytes) {
  if (word_bytes_ == 0) word_ = 0;
  while (!in.empty() && word_bytes_ < size_bytes) {
    word_ |= uint64_t{TakeByte(in)} << (8 * word_bytes_++);
  }
  if (word_bytes_ < size_bytes) return false;
  word_bytes_ = 0;
  return true;
}

void FrameScanner::PreloadWord(uint64_t low_bits, int size_bytes) {
  word_ = low_bits;
  word_bytes_ = size_bytes;
}

bool FrameScanner::BeginText() {
  if (word_ > kTextBytesMax) {
    Lose();
    return false;
  }
  text_left_ = word_;
  return true;
}

bool FrameScanner::TakeText(absl::string_view& in) {
  const size_t taken = static_cast<size_t>(std::min<uint64_t>(text_left_, in.size()));
  in.remove_prefix(taken);
  text_left_ -= taken;
  return text_left_ == 0;
}

// --- Requests ---

FrameScanner::Step RequestScanner::Take(absl::string_view& in) {
  switch (stage_) {
    case Stage::kFirst:
      return TakeFirst(in);
    case Stage::kMagic:
      return TakeMagic(in);
    case Stage::kOpcode: {
      const std::optional<Operation> operation = protocol::OperationOf(dialect_, TakeByte(in));
      if (operation.has_value() && *operation != Operation::kValidate) {
        return BeginRequest(*operation);
      }
      Lose();
      return Step::kGoesOn;
    }
    case Stage::kCount:
      return TakeWord(in, kLengthBytes) ? BeginTexts(word()) : Step::kGoesOn;
    case Stage::kLength:
      if (!TakeWord(in, kLengthBytes) || !BeginText()) return Step::kGoesOn;
      stage_ = Stage::kText;
      return text_is_empty() ? NextText() : Step::kGoesOn;
    case Stage::kText:
      return TakeText(in) ? NextText() : Step::kGoesOn;
    case Stage::kNumber: {
      const bool is_wide = protocol::RowOf(operation_).number == NumberField::kI64;
      return TakeWord(in, is_wide ? 8 : 4) ? EndRequest() : Step::kGoesOn;
    }
  }
  return Step::kGoesOn;
}

// FORMAT.md says how a greeting and a legacy request are told apart.
FrameScanner::Step RequestScanner::TakeFirst(absl::string_view& in) {
  const uint8_t opcode = TakeByte(in);
  if (opcode == 0) {
    stage_ = Stage::kMagic;
    return Step::kGoesOn;
  }
  dialect_ = legacy_dialect_;
  const std::optional<Operation> operation = protocol::OperationOf(dialect_, opcode);
  if (operation.has_value()) return BeginRequest(*operation);
  Lose();
  return Step::kGoesOn;
}

FrameScanner::Step RequestScanner::TakeMagic(absl::string_view& in) {
  if (!TakeWord(in, kMagicBytes)) return Step::kGoesOn;
  if (word() == protocol::kValidateMagic) {
    operation_ = Operation::kValidate;
    keys_ = 0;
    return EndRequest();
  }
  dialect_ = legacy_dialect_;
  const uint64_t low_half = word();
  BeginRequest(Operation::kSet);
  PreloadWord(low_half, kMagicBytes);
  return Step::kGoesOn;
}

FrameScanner::Step RequestScanner::BeginRequest(Operation operation) {
  operation_ = operation;
  keys_ = 0;
  const protocol::OperationRow& row = protocol::RowOf(operation);
  if (row.keys == KeyFields::kOne) return BeginTexts(1);
  if (row.keys == KeyFields::kNone) return BeginTexts(0);
  stage_ = Stage::kCount;
  return Step::kGoesOn;
}

FrameScanner::Step RequestScanner::BeginTexts(uint64_t keys) {
  if (keys > kTextsMax) {
    Lose();
    return Step::kGoesOn;
  }
  keys_ = keys;
  texts_left_ = keys * (1 + protocol::RowOf(operation_).values_per_key) + 1;
  return NextText();
}

FrameScanner::Step RequestScanner::NextText() {
  if (--texts_left_ > 0) {
    stage_ = Stage::kLength;
    return Step::kGoesOn;
  }
  if (protocol::RowOf(operation_).number == NumberField::kNone) return EndRequest();
  stage_ = Stage::kNumber;
  return Step::kGoesOn;
}

FrameScanner::Step RequestScanner::EndRequest() {
  stage_ = Stage::kOpcode;
  replies_.Expect(operation_, keys_);
  return Step::kFrameEnds;
}

// --- Replies ---

void ReplyScanner::Expect(Operation operation, uint64_t keys) {
  const std::optional<ReplyKind> kind = protocol::ReplyOf(operation);
  if (!kind.has_value()) return;
  if (*kind == ReplyKind::kTexts && keys == 0) return;  // A reply without a byte.
  Expected expected{.kind = *kind, .texts = keys};
  expected.is_wait = operation == Operation::kWait || operation == Operation::kBarrier;
  expected.is_cancel = operation == Operation::kCancelWait;
  // Forgotten by the server, unless their answers cross the request.
  if (expected.is_cancel) std::erase_if(expected_, [](const Expected& e) { return e.is_wait; });
  if (operation == Operation::kWatchKey) watches_ = true;
  expected_.push_back(expected);
}

FrameScanner::Step ReplyScanner::Take(absl::string_view& in) {
  switch (stage_) {
    case Stage::kBegin:
      return Begin(in);
    case Stage::kNumber:
      return TakeWord(in, protocol::ShapeOf(current_.kind).number_bytes) ? AfterNumber()
                                                                         : Step::kGoesOn;
    case Stage::kLength:
      if (!TakeWord(in, kLengthBytes) || !BeginText()) return Step::kGoesOn;
      stage_ = Stage::kText;
      return text_is_empty() ? NextText() : Step::kGoesOn;
    case Stage::kText:
      return TakeText(in) ? NextText() : Step::kGoesOn;
  }
  return Step::kGoesOn;
}

FrameScanner::Step ReplyScanner::Begin(absl::string_view& in) {
  if (!expected_.empty()) {
    current_ = expected_.front();
    // The answer of a wait that ended just before it was cancelled comes on top.
    const bool crosses =
        current_.is_cancel && static_cast<uint8_t>(in.front()) != protocol::kWaitCanceled;
    if (!crosses) expected_.pop_front();
  } else if (watches_) {
    current_ = {.kind = ReplyKind::kKeyEvent};
  } else {
    Lose();
    return Step::kGoesOn;
  }
  const protocol::ReplyShape& shape = protocol::ShapeOf(current_.kind);
  texts_left_ = 1 + (shape.texts == TextCount::kOne     ? 1
                     : shape.texts == TextCount::kThree ? 3
                     : shape.texts == TextCount::kAsked ? current_.texts
                                                        : 0);
  if (shape.has_signal) {
    TakeByte(in);
    return NextText();
  }
  if (shape.number_bytes == 0) return NextText();
  stage_ = Stage::kNumber;
  return Step::kGoesOn;
}

FrameScanner::Step ReplyScanner::AfterNumber() {
  const TextCount texts = protocol::ShapeOf(current_.kind).texts;
  if (texts == TextCount::kNumber) {
    if (word() > kTextsMax) {
      Lose();
      return Step::kGoesOn;
    }
    texts_left_ = 1 + word();
  } else if (texts == TextCount::kOneIfNumberIsPositive && static_cast<int64_t>(word()) > 0) {
    texts_left_ = 2;
  }
  return NextText();
}

FrameScanner::Step ReplyScanner::NextText() {
  if (--texts_left_ > 0) {
    stage_ = Stage::kLength;
    return Step::kGoesOn;
  }
  stage_ = Stage::kBegin;
  return Step::kFrameEnds;
}

}  // namespace rollcall::fault
