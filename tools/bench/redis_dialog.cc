// RESP. A hold is a BLPOP and its wake an RPUSH of one item for each holder: the only wait that
// Redis has for something that may have been there before.
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "tools/bench/dialog.h"

namespace rollcall::bench {
namespace {

enum Form : uint8_t {
  kLine,  // +OK, :7
  kBulk,  // $3 and three bytes
  kPair,  // *2 and two of those
};

std::string Command(absl::Span<const absl::string_view> words) {
  std::string bytes = absl::StrCat("*", words.size(), "\r\n");
  for (absl::string_view word : words)
    absl::StrAppend(&bytes, "$", word.size(), "\r\n", word, "\r\n");
  return bytes;
}

// The size of a line with its end, if it is whole.
std::optional<uint64_t> LineBytes(absl::string_view in) {
  const size_t end = in.find("\r\n");
  if (end == absl::string_view::npos) return std::nullopt;
  return end + 2;
}

std::optional<uint64_t> BulkBytes(absl::string_view in) {
  const std::optional<uint64_t> line = LineBytes(in);
  if (!line) return std::nullopt;
  int64_t length;
  if (in[0] != '$' || !absl::SimpleAtoi(in.substr(1, *line - 3), &length) || length < 0) return 0;
  return *line + static_cast<uint64_t>(length) + 2;
}

class RedisDialog : public Dialog {
 public:
  Call Hello() const override { return {Command({"PING"}), {{kLine}}}; }
  Call Set(absl::string_view key, absl::string_view value) const override {
    return {Command({"SET", key, value}), {{kLine}}};
  }
  Call Get(absl::string_view key, size_t) const override {
    return {Command({"GET", key}), {{kBulk}}};
  }
  Call Add(absl::string_view key, int64_t delta) const override {
    return {Command({"INCRBY", key, absl::StrCat(delta)}), {{kLine}}};
  }
  Call Await(absl::string_view key) const override { return {Command({"EXISTS", key}), {{kLine}}}; }
  Call Hold(absl::Span<const std::string> keys, Gate) const override {
    std::vector<absl::string_view> words = {"BLPOP"};
    words.insert(words.end(), keys.begin(), keys.end());
    words.push_back("0");
    return {Command(words), {{kPair}}};
  }
  Call Wake(absl::string_view key, Gate, int holders) const override {
    std::vector<absl::string_view> words = {"RPUSH", key};
    words.resize(words.size() + static_cast<size_t>(holders), "1");
    return {Command(words), {{kLine}}};
  }
  absl::StatusOr<Call> Push(absl::string_view queue, Gate, absl::string_view item) const override {
    return Call{Command({"RPUSH", queue, item}), {{kLine}}};
  }
  absl::StatusOr<std::vector<Call>> Take(absl::string_view queue, Gate gate,
                                         size_t) const override {
    return std::vector<Call>{Hold({std::string(queue)}, gate)};
  }

  std::optional<uint64_t> AnswerBytes(Expected expected, absl::string_view in) const override {
    if (in.empty()) return std::nullopt;
    if (in[0] == '-') return 0;
    if (expected.form == kLine) return LineBytes(in);
    if (expected.form == kBulk) return BulkBytes(in);
    std::optional<uint64_t> bytes = LineBytes(in);
    for (int part = 0; part < 2 && bytes && *bytes > 0; ++part) {
      if (*bytes > in.size()) return std::nullopt;
      const std::optional<uint64_t> bulk = BulkBytes(in.substr(*bytes));
      if (!bulk) return std::nullopt;
      bytes = *bulk == 0 ? 0 : *bytes + *bulk;
    }
    return bytes;
  }

  bool NotYet(absl::string_view answer) const override { return answer == ":0\r\n"; }

  std::optional<int64_t> Number(absl::string_view answer) const override {
    int64_t number;
    if (answer.size() < 3 || answer[0] != ':' ||
        !absl::SimpleAtoi(answer.substr(1, answer.size() - 3), &number)) {
      return std::nullopt;
    }
    return number;
  }
};

}  // namespace

std::unique_ptr<Dialog> MakeRedisDialog() { return std::make_unique<RedisDialog>(); }

}  // namespace rollcall::bench
