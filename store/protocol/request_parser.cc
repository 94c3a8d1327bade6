#include "store/protocol/request_parser.h"

#include <algorithm>
#include <cassert>
#include <cstddef>
#include <limits>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "store/protocol/first_bytes.h"

namespace rollcall::protocol {
namespace {

// What a parser keeps between two requests, so that the next one of its kind takes no allocation.
// A connection that is idle must not hold more.
constexpr uint64_t kKeptTextBytesMax = 4 << 10;
constexpr size_t kKeptTextsMax = 32;

// Large enough to be worth a system call, small enough to stay in a cache between being zeroed, as
// std::string must, and being filled.
constexpr size_t kRoomBytes = 512 << 10;

// How much of a foreign peer's first bytes a message shows.
constexpr size_t kShownBytesMax = 16;

std::string FirstBytesMessage(absl::string_view first_bytes, absl::string_view expected) {
  std::string message = absl::StrCat(
      "opened with \"", absl::CHexEscape(first_bytes.substr(0, kShownBytesMax)), "\", which is ");
  const absl::string_view speaker = ForeignProtocol(first_bytes);
  if (!speaker.empty()) return absl::StrCat(message, "no store client: it looks like ", speaker);
  return absl::StrCat(message, expected);
}

}  // namespace

RequestParser::RequestParser(const ParserOptions* options) : options_(options) {
  assert(options->legacy_dialect != Dialect::kModern);
}

void RequestParser::Reset(std::optional<Dialect> dialect) {
  in_ = {};
  status_ = absl::OkStatus();
  word_bytes_ = 0;
  has_room_ = false;
  FreeIfLarge();
  stage_ = dialect.has_value() ? Stage::kOpcode : Stage::kFirstByte;
  dialect_ = dialect.value_or(Dialect::kModern);
  dialect_known_ = dialect.has_value();
}

void RequestParser::Feed(absl::string_view bytes) {
  if (stage_ == Stage::kBroken) return;
  assert(in_.empty());
  EndRoom();
  in_ = bytes;
}

absl::Span<char> RequestParser::TextRoom() {
  EndRoom();
  // Less is better read together with what follows it.
  if (stage_ != Stage::kText || word_ <= kRoomBytes || !in_.empty()) return {};
  std::string& text = CurrentText();
  const size_t arrived = text.size();
  wire::ReserveText(arrived + kRoomBytes, arrived + word_, text);
  text.resize(arrived + kRoomBytes);
  has_room_ = true;
  return absl::MakeSpan(text).subspan(arrived);
}

void RequestParser::TookInPlace(size_t count) {
  assert(has_room_ && count <= kRoomBytes);
  word_ -= count;
  EndRoom(count);
}

void RequestParser::EndRoom(size_t used) {
  if (!has_room_) return;
  std::string& text = CurrentText();
  text.resize(text.size() - (kRoomBytes - used));
  has_room_ = false;
}

RequestParser::Extent RequestParser::InProgress() const {
  // A greeting has no texts.
  if (!mid_request() || stage_ == Stage::kMagic) return {};
  Extent extent;
  extent.operation = request_.operation;
  extent.has_values = row().values_per_key > 0;
  extent.held_bytes =
      texts_bytes_ + (request_.keys.size() + request_.values.size()) * sizeof(std::string);
  if (stage_ == Stage::kText) extent.missing_bytes = word_;
  extent.held_bytes -= extent.missing_bytes;
  return extent;
}

Request* RequestParser::Next() {
  if (stage_ == Stage::kComplete) {
    stage_ = Stage::kOpcode;
    FreeIfLarge();
  }
  while (Step()) {
    if (stage_ == Stage::kComplete) return &request_;
  }
  return nullptr;
}

bool RequestParser::Step() {
  if (in_.empty()) return false;
  switch (stage_) {
    case Stage::kFirstByte:
      return TakeFirstByte();
    case Stage::kMagic:
      return TakeMagic();
    case Stage::kOpcode:
      return TakeOpcode();
    case Stage::kCount:
      return TakeCount();
    case Stage::kTextLength:
      return TakeTextLength();
    case Stage::kText:
      return TakeText();
    case Stage::kNumber:
      return TakeNumber();
    case Stage::kComplete:
    case Stage::kBroken:
      break;
  }
  return false;
}

bool RequestParser::TakeFirstByte() {
  const uint8_t first = static_cast<uint8_t>(in_.front());
  if (first == *OpcodeOf(Dialect::kModern, Operation::kValidate)) {
    in_.remove_prefix(1);
    stage_ = Stage::kMagic;
    return true;
  }
  // Not to wait for more: a legacy request may be this one byte.
  if (!options_->accept_legacy) {
    return Fail(FirstBytesMessage(in_, "not VALIDATE; legacy clients are not accepted here"));
  }
  if (!OperationOf(options_->legacy_dialect, first).has_value()) {
    return Fail(FirstBytesMessage(in_, "neither VALIDATE nor a legacy request"));
  }
  dialect_ = options_->legacy_dialect;
  dialect_known_ = true;
  stage_ = Stage::kOpcode;
  return true;
}

bool RequestParser::TakeMagic() {
  if (!wire::TakeWord(in_, sizeof(kValidateMagic), word_, word_bytes_)) return false;
  if (word_ == kValidateMagic) {
    dialect_ = Dialect::kModern;
    dialect_known_ = true;
    stage_ = Stage::kOpcode;
    return true;
  }
  // A legacy set then, and these were the low half of its key's length.
  std::string opening(1, '\0');
  wire::Put(static_cast<uint32_t>(word_), opening);
  if (!options_->accept_legacy) {
    return Fail(FirstBytesMessage(opening, "not VALIDATE; legacy clients are not accepted here"));
  }
  if (word_ > options_->limits.key_bytes_max) {
    return Fail(FirstBytesMessage(
        opening, absl::StrCat("neither VALIDATE nor a legacy set: its key would have ", word_,
                              " bytes or more; limit is ", options_->limits.key_bytes_max)));
  }
  dialect_ = options_->legacy_dialect;
  dialect_known_ = true;
  Begin(Operation::kSet);
  word_bytes_ = sizeof(kValidateMagic);
  return true;
}

bool RequestParser::TakeOpcode() {
  const uint8_t opcode = static_cast<uint8_t>(in_.front());
  const std::optional<Operation> operation = OperationOf(dialect_, opcode);
  if (!operation.has_value()) {
    return Fail(
        absl::StrCat("opcode ", opcode, " is not one of the ", DialectName(dialect_), " dialect"));
  }
  if (*operation == Operation::kValidate) {
    return Fail("a second VALIDATE: only a connection's first bytes may be one");
  }
  in_.remove_prefix(1);
  Begin(*operation);
  return true;
}

void RequestParser::FreeIfLarge() {
  if (texts_bytes_ > kKeptTextBytesMax || request_.keys.size() > kKeptTextsMax) request_ = {};
}

void RequestParser::Begin(Operation operation) {
  request_.operation = operation;
  texts_bytes_ = 0;
  text_of_key_ = 0;
  if (row().keys == KeyFields::kCounted) {
    stage_ = Stage::kCount;
    return;
  }
  keys_left_ = row().keys == KeyFields::kOne ? 1 : 0;
  PlaceTexts(keys_left_);
  BeginKeyOrNumber();
}

// Uses the strings of the request before, with the capacity they have.
void RequestParser::PlaceTexts(size_t keys) {
  const size_t values = keys * row().values_per_key;
  if (request_.keys.size() != keys) request_.keys.resize(keys);
  if (request_.values.size() != values) request_.values.resize(values);
  texts_in_place_ = true;
}

void RequestParser::BeginKeyOrNumber() {
  if (keys_left_ > 0) {
    stage_ = Stage::kTextLength;
  } else {
    stage_ = row().number == NumberField::kNone ? Stage::kComplete : Stage::kNumber;
  }
}

bool RequestParser::TakeCount() {
  if (!wire::TakeWord(in_, wire::kLengthBytes, word_, word_bytes_)) return false;
  const uint64_t limit = std::min<uint64_t>(options_->limits.keys_per_request_max,
                                            std::numeric_limits<uint32_t>::max());
  if (word_ > limit) {
    // Shown signed: multi_set's count is, and -1 says more than 2^64 - 1.
    return Fail(
        absl::StrCat(row().name, " of ", static_cast<int64_t>(word_), " keys; limit is ", limit));
  }
  keys_left_ = static_cast<uint32_t>(word_);
  if (keys_left_ <= std::max<size_t>(request_.keys.size(), 1)) {
    PlaceTexts(keys_left_);
  } else {
    // Room for the texts that may have come already: a claim alone gets none.
    PlaceTexts(0);
    texts_in_place_ = false;
    const size_t arrived = in_.size() / wire::kLengthBytes;
    const size_t room = std::min<size_t>(keys_left_, arrived / (1 + row().values_per_key));
    request_.keys.reserve(room);
    request_.values.reserve(room * row().values_per_key);
  }
  BeginKeyOrNumber();
  return true;
}

// The keys that are there in full, as most are. Stops before one that needs a closer look.
void RequestParser::TakeWholeKeys() {
  const Limits& limits = options_->limits;
  while (keys_left_ > 0 && in_.size() >= wire::kLengthBytes) {
    const uint64_t length = wire::Get<uint64_t>(in_.data());
    if (length > limits.key_bytes_max || length > limits.request_bytes_max - texts_bytes_ ||
        length > in_.size() - wire::kLengthBytes) {
      return;
    }
    const char* const key = in_.data() + wire::kLengthBytes;
    if (texts_in_place_) {
      request_.keys[request_.keys.size() - keys_left_].assign(key, length);
    } else {
      request_.keys.emplace_back(key, length);
    }
    texts_bytes_ += length;
    in_.remove_prefix(wire::kLengthBytes + length);
    --keys_left_;
  }
}

bool RequestParser::TakeTextLength() {
  if (word_bytes_ == 0 && row().values_per_key == 0) {
    TakeWholeKeys();
    if (keys_left_ == 0) {
      BeginKeyOrNumber();
      return true;
    }
  }
  if (!wire::TakeWord(in_, wire::kLengthBytes, word_, word_bytes_)) return false;
  return BeginText(word_);
}

bool RequestParser::BeginText(uint64_t length) {
  const Limits& limits = options_->limits;
  const bool is_key = text_of_key_ == 0;
  const uint64_t limit = is_key ? limits.key_bytes_max : limits.value_bytes_max;
  if (length > limit) {
    return Fail(absl::StrCat(row().name, ": ", is_key ? "key" : "value", " of ", length,
                             " bytes; limit is ", limit));
  }
  if (length > limits.request_bytes_max - texts_bytes_) {
    return Fail(absl::StrCat(
        row().name, ": ", is_key ? "key" : "value", " of ", length, " bytes after ", texts_bytes_,
        " in the same request; limit of a request is ", limits.request_bytes_max));
  }
  texts_bytes_ += length;
  if (texts_in_place_) {
    CurrentText().clear();
  } else {
    is_key ? request_.keys.emplace_back() : request_.values.emplace_back();
  }
  stage_ = Stage::kText;
  // Not left to the next step, which would wait for a byte: a text may be empty.
  return TakeText();
}

std::string& RequestParser::CurrentText() {
  const size_t key = request_.keys.size() - (texts_in_place_ ? keys_left_ : 1);
  if (text_of_key_ == 0) return request_.keys[key];
  return request_.values[key * row().values_per_key + text_of_key_ - 1];
}

bool RequestParser::TakeText() {
  if (!wire::TakeText(in_, word_, CurrentText())) return false;
  if (text_of_key_ < row().values_per_key) {
    ++text_of_key_;
    stage_ = Stage::kTextLength;
    return true;
  }
  text_of_key_ = 0;
  --keys_left_;
  BeginKeyOrNumber();
  return true;
}

bool RequestParser::TakeNumber() {
  const bool wide = row().number == NumberField::kI64;
  if (!wire::TakeWord(in_, wide ? sizeof(int64_t) : sizeof(uint32_t), word_, word_bytes_))
    return false;
  request_.number = static_cast<int64_t>(word_);
  stage_ = Stage::kComplete;
  return true;
}

bool RequestParser::Fail(const std::string& message) {
  status_ = absl::DataLossError(message);
  stage_ = Stage::kBroken;
  in_ = {};
  request_ = {};
  return false;
}

}  // namespace rollcall::protocol
