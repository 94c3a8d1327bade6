#include "store/protocol/wire_text.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "store/protocol/reply_shape.h"
#include "store/protocol/reply_writer.h"
#include "store/protocol/request_writer.h"

namespace rollcall::protocol {
namespace {

constexpr std::array<absl::string_view, kReplyKindCount> kReplyKindNames = {
    "signal", "number", "nonce", "bytes", "texts", "list", "popped", "key_event", "hang_up"};

constexpr absl::string_view kSampleRequests[] = {
    R"(set "/k" "v")",
    R"(set "" "")",
    R"(compare_set "/c" "old" "new")",
    R"(compare_set "/c" "" "x")",
    R"(get "/k")",
    R"(add "/n" -7)",
    R"(check "/m1" "/m9")",
    R"(wait "/m1")",
    R"(wait)",
    R"(num_keys)",
    R"(delete_key "/k")",
    R"(append "/k" "more")",
    R"(multi_get "/m1" "" "/m3")",
    R"(multi_set "/m1" "1" "/m2" "22")",
    R"(cancel_wait)",
    R"(ping 4294967295)",
    R"(queue_push "/q" "job")",
    R"(queue_pop "/q")",
    R"(queue_len "/q")",
    R"(list_keys)",
    R"(barrier "/b" 4)",
    R"(watch_key "/w")",
    R"(session "of rank 3")",
    R"(numbered 131073)",
};

struct Words {
  std::string name;
  std::vector<std::string> texts;
  std::vector<int64_t> numbers;
};

std::optional<Words> Split(absl::string_view line) {
  Words words;
  while (!line.empty()) {
    if (line.front() == ' ') {
      line.remove_prefix(1);
    } else if (line.front() == '"') {
      size_t end = 1;
      while (end < line.size() && line[end] != '"') end += line[end] == '\\' ? 2 : 1;
      if (end >= line.size()) return std::nullopt;
      std::string text;
      if (!absl::CUnescape(line.substr(1, end - 1), &text)) return std::nullopt;
      words.texts.push_back(std::move(text));
      line.remove_prefix(end + 1);
    } else {
      const absl::string_view word = line.substr(0, line.find(' '));
      int64_t number = 0;
      if (words.name.empty()) {
        words.name = std::string(word);
      } else if (absl::SimpleAtoi(word, &number)) {
        words.numbers.push_back(number);
      } else {
        return std::nullopt;
      }
      line.remove_prefix(word.size());
    }
  }
  return words;
}

void AddText(absl::string_view text, std::string& line) {
  absl::StrAppend(&line, " \"", absl::CHexEscape(text), "\"");
}

absl::Status NoLine(absl::string_view line) {
  return absl::InvalidArgumentError(absl::StrCat("not a line: ", line));
}

absl::Status AppendCounted(Dialect dialect, const OperationRow& row,
                           absl::Span<const std::string> texts, std::string& out) {
  if (row.values_per_key == 0) return AppendKeysRequest(dialect, row.operation, texts, out);
  std::vector<std::string> keys;
  std::vector<std::string> values;
  for (size_t i = 0; i + 1 < texts.size(); i += 2) {
    keys.push_back(texts[i]);
    values.push_back(texts[i + 1]);
  }
  return AppendMultiSet(dialect, keys, values, out);
}

absl::Status AppendOne(Dialect dialect, const OperationRow& row, const Words& words,
                       std::string& out) {
  const std::vector<std::string>& texts = words.texts;
  if (row.number == NumberField::kI64) {
    return AppendKeyNumberRequest(dialect, row.operation, texts[0], words.numbers[0], out);
  }
  switch (row.values_per_key) {
    case 0:
      return AppendKeyRequest(dialect, row.operation, texts[0], out);
    case 1:
      return AppendKeyValueRequest(dialect, row.operation, texts[0], texts[1], out);
    default:
      return AppendCompareSet(dialect, texts[0], texts[1], texts[2], out);
  }
}

absl::Status AppendBare(Dialect dialect, const OperationRow& row, const Words& words,
                        std::string& out) {
  if (row.operation == Operation::kValidate) {
    AppendValidate(out);
    return absl::OkStatus();
  }
  if (row.number == NumberField::kNone) return AppendBareRequest(dialect, row.operation, out);
  if (row.number == NumberField::kI64) return AppendNumber(dialect, words.numbers[0], out);
  return AppendPing(dialect, static_cast<uint32_t>(words.numbers[0]), out);
}

const OperationRow* FindRow(absl::string_view name) {
  for (const OperationRow& row : kOperations) {
    if (row.name == name) return &row;
  }
  return nullptr;
}

}  // namespace

std::string RequestLine(const Request& request) {
  const OperationRow& row = RowOf(request.operation);
  std::string line(row.name);
  for (size_t i = 0; i < request.keys.size(); ++i) {
    AddText(request.keys[i], line);
    for (size_t v = 0; v < row.values_per_key; ++v) {
      AddText(request.values[i * row.values_per_key + v], line);
    }
  }
  if (row.number != NumberField::kNone) absl::StrAppend(&line, " ", request.number);
  return line;
}

std::string ReplyLine(ReplyKind kind, const OwnedReply& reply) {
  const ReplyShape& shape = ShapeOf(kind);
  std::string line(ReplyKindName(kind));
  if (shape.has_signal) absl::StrAppend(&line, " ", reply.signal);
  if (shape.number_bytes > 0 && shape.texts != TextCount::kNumber) {
    absl::StrAppend(&line, " ", reply.number);
  }
  for (const std::string& text : reply.texts) AddText(text, line);
  return line;
}

absl::Status AppendRequestLine(Dialect dialect, absl::string_view line, std::string& out) {
  const std::optional<Words> words = Split(line);
  if (!words.has_value()) return NoLine(line);
  const OperationRow* row = FindRow(words->name);
  if (row == nullptr ||
      words->numbers.size() !=
          (row->number == NumberField::kNone || row->operation == Operation::kValidate ? 0 : 1)) {
    return NoLine(line);
  }
  const size_t texts_per_key = 1 + row->values_per_key;
  switch (row->keys) {
    case KeyFields::kNone:
      return words->texts.empty() ? AppendBare(dialect, *row, *words, out) : NoLine(line);
    case KeyFields::kOne:
      if (words->texts.size() != texts_per_key) return NoLine(line);
      return AppendOne(dialect, *row, *words, out);
    case KeyFields::kCounted:
      if (words->texts.size() % texts_per_key != 0) return NoLine(line);
      return AppendCounted(dialect, *row, words->texts, out);
  }
  return NoLine(line);
}

absl::Status AppendReplyLine(absl::string_view line, std::string& out) {
  const std::optional<Words> words = Split(line);
  if (!words.has_value()) return NoLine(line);
  for (const ReplyShape& shape : kReplyShapes) {
    if (ReplyKindName(shape.kind) != words->name) continue;
    const bool numbered =
        shape.has_signal || (shape.number_bytes > 0 && shape.texts != TextCount::kNumber);
    if (words->numbers.size() != size_t{numbered}) return NoLine(line);
    Reply reply;
    reply.kind = shape.kind;
    if (numbered) reply.number = words->numbers[0];
    reply.signal = static_cast<uint8_t>(reply.number);
    for (const std::string& text : words->texts) reply.texts.push_back(text);
    AppendReply(reply, out);
    return absl::OkStatus();
  }
  return NoLine(line);
}

std::string RequestBytes(Dialect dialect, absl::string_view line) {
  std::string bytes;
  (void)AppendRequestLine(dialect, line, bytes);
  return bytes;
}

absl::string_view ReplyKindName(ReplyKind kind) {
  return kReplyKindNames[static_cast<size_t>(kind)];
}

std::ostream& operator<<(std::ostream& out, const Heard& heard) {
  return out << absl::StrJoin(heard.requests, "; ") << (heard.broken ? "; broken" : "");
}

Heard HearPieces(const ParserOptions& options, absl::Span<const absl::string_view> pieces) {
  Heard heard;
  RequestParser parser(&options);
  for (absl::string_view piece : pieces) {
    parser.Feed(piece);
    while (const Request* request = parser.Next()) heard.requests.push_back(RequestLine(*request));
  }
  heard.broken = !parser.status().ok();
  return heard;
}

absl::Span<const absl::string_view> SampleRequests() { return kSampleRequests; }

std::string Greeting(Dialect dialect) {
  std::string greeting;
  if (OpcodeOf(dialect, Operation::kValidate).has_value()) AppendValidate(greeting);
  return greeting;
}

std::string Hex(absl::string_view bytes) {
  std::string hex;
  for (char byte : bytes) {
    absl::StrAppend(&hex, hex.empty() ? "" : " ",
                    absl::AsciiStrToUpper(absl::BytesToHexString(absl::string_view(&byte, 1))));
  }
  return hex;
}

std::string Unhex(absl::string_view hex) {
  // By hand: of absl::HexStringToBytes, old Abseil has one form and new Abseil wants the other.
  const std::string digits = absl::StrReplaceAll(hex, {{" ", ""}});
  std::string bytes;
  for (size_t i = 0; i + 1 < digits.size(); i += 2) {
    uint32_t byte = 0;
    if (!absl::SimpleHexAtoi(digits.substr(i, 2), &byte)) return "";
    bytes.push_back(static_cast<char>(byte));
  }
  return digits.size() % 2 == 0 ? bytes : "";
}

}  // namespace rollcall::protocol
