#include "store/protocol/reply_parser.h"

#include <algorithm>
#include <cassert>
#include <utility>

#include "absl/strings/str_cat.h"
#include "store/protocol/wire.h"

namespace rollcall::protocol {
namespace {

uint64_t TextsOf(const ReplyShape& shape, uint64_t asked, int64_t number) {
  switch (shape.texts) {
    case TextCount::kNone:
      return 0;
    case TextCount::kOne:
      return 1;
    case TextCount::kThree:
      return 3;
    case TextCount::kAsked:
      return asked;
    case TextCount::kNumber:
      return static_cast<uint64_t>(number);
    case TextCount::kOneIfNumberIsPositive:
      return number > 0 ? 1 : 0;
  }
  return 0;
}

// The number says how many texts there are, in one way or the other.
bool NumberIsACount(const ReplyShape& shape) {
  return shape.texts == TextCount::kNumber || shape.texts == TextCount::kOneIfNumberIsPositive;
}

}  // namespace

ReplyParser::ReplyParser(ReplyKind kind, size_t texts, ReplyLimits limits)
    : shape_(ShapeOf(kind)), limits_(limits), texts_left_(TextsOf(shape_, texts, /*number=*/0)) {
  if (shape_.has_signal) {
    stage_ = Stage::kSignal;
  } else if (shape_.number_bytes > 0) {
    stage_ = Stage::kNumber;
  } else {
    BeginTextOrEnd();
  }
}

absl::StatusOr<size_t> ReplyParser::Consume(absl::string_view bytes) {
  absl::string_view in = bytes;
  begun_ = begun_ || !bytes.empty();
  while (Step(in)) {
  }
  if (!status_.ok()) return status_;
  return bytes.size() - in.size();
}

size_t ReplyParser::missing_bytes() const {
  uint64_t of_current = 0;
  switch (stage_) {
    case Stage::kDone:
    case Stage::kBroken:
      return 0;
    case Stage::kSignal:
      return static_cast<size_t>(1 + texts_left_ * wire::kLengthBytes);
    case Stage::kNumber:
      return shape_.number_bytes - word_bytes_;
    case Stage::kTextLength:
      of_current = wire::kLengthBytes - word_bytes_;
      break;
    case Stage::kText:
      of_current = word_;
      break;
  }
  return static_cast<size_t>(of_current + (texts_left_ - 1) * wire::kLengthBytes);
}

OwnedReply ReplyParser::Take() {
  assert(done());
  return std::move(reply_);
}

bool ReplyParser::Step(absl::string_view& in) {
  if (in.empty()) return false;
  switch (stage_) {
    case Stage::kSignal:
      reply_.signal = static_cast<uint8_t>(in.front());
      in.remove_prefix(1);
      BeginTextOrEnd();
      return true;
    case Stage::kNumber:
      return TakeNumber(in);
    case Stage::kTextLength:
      return TakeTextLength(in);
    case Stage::kText:
      return TakeText(in);
    case Stage::kDone:
    case Stage::kBroken:
      break;
  }
  return false;
}

bool ReplyParser::TakeNumber(absl::string_view& in) {
  if (!wire::TakeWord(in, shape_.number_bytes, word_, word_bytes_)) return false;
  reply_.number = static_cast<int64_t>(word_);
  if (NumberIsACount(shape_)) {
    if (reply_.number < 0) return Fail(absl::StrCat("a count of ", reply_.number));
    texts_left_ = TextsOf(shape_, /*asked=*/0, reply_.number);
    if (texts_left_ > limits_.texts_max) {
      return Fail(absl::StrCat(texts_left_, " texts; limit is ", limits_.texts_max));
    }
  }
  BeginTextOrEnd();
  return true;
}

// The texts that are there in full, as most are. Stops before one that needs a closer look.
void ReplyParser::TakeWholeTexts(absl::string_view& in) {
  while (texts_left_ > 0 && in.size() >= wire::kLengthBytes) {
    const uint64_t length = wire::Get<uint64_t>(in.data());
    if (length > limits_.text_bytes_max - texts_bytes_ || length > in.size() - wire::kLengthBytes) {
      return;
    }
    reply_.texts.emplace_back(in.data() + wire::kLengthBytes, length);
    texts_bytes_ += length;
    in.remove_prefix(wire::kLengthBytes + length);
    --texts_left_;
  }
}

bool ReplyParser::TakeTextLength(absl::string_view& in) {
  if (word_bytes_ == 0) {
    // Room for those that have come: a claim alone gets none.
    if (reply_.texts.empty()) {
      reply_.texts.reserve(
          static_cast<size_t>(std::min<uint64_t>(texts_left_, in.size() / wire::kLengthBytes)));
    }
    TakeWholeTexts(in);
    if (texts_left_ == 0) {
      BeginTextOrEnd();
      return true;
    }
  }
  if (!wire::TakeWord(in, wire::kLengthBytes, word_, word_bytes_)) return false;
  if (word_ > limits_.text_bytes_max - texts_bytes_) {
    return Fail(absl::StrCat("a text of ", word_, " bytes after ", texts_bytes_,
                             " bytes of texts; limit is ", limits_.text_bytes_max));
  }
  texts_bytes_ += word_;
  reply_.texts.emplace_back();
  stage_ = Stage::kText;
  // Not left to the next step, which would wait for a byte: a text may be empty.
  return TakeText(in);
}

bool ReplyParser::TakeText(absl::string_view& in) {
  if (!wire::TakeText(in, word_, reply_.texts.back())) return false;
  --texts_left_;
  BeginTextOrEnd();
  return true;
}

void ReplyParser::BeginTextOrEnd() { stage_ = texts_left_ > 0 ? Stage::kTextLength : Stage::kDone; }

bool ReplyParser::Fail(absl::string_view message) {
  status_ = absl::DataLossError(absl::StrCat("reply with ", message));
  stage_ = Stage::kBroken;
  reply_ = {};
  return false;
}

}  // namespace rollcall::protocol
