// Memcached's text protocol. It has no wait: an Await and a Hold ask until the key is there. Its
// incr fails for a key that is not there, so a counter has to be made first.
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "tools/bench/dialog.h"

namespace rollcall::bench {
namespace {

enum Form : uint8_t {
  kLine,
  kValue,  // "VALUE key flags length", the bytes, "END"; or "END" alone.
};

constexpr absl::string_view kEnd = "END\r\n";

std::optional<uint64_t> LineBytes(absl::string_view in) {
  const size_t end = in.find("\r\n");
  if (end == absl::string_view::npos) return std::nullopt;
  return end + 2;
}

bool IsError(absl::string_view line) {
  return line.substr(0, 5) == "ERROR" || line.substr(0, 3) == "NOT" ||
         line.substr(0, 12) == "CLIENT_ERROR" || line.substr(0, 12) == "SERVER_ERROR";
}

class MemcachedDialog : public Dialog {
 public:
  Call Hello() const override { return {"version\r\n", {{kLine}}}; }
  Call Set(absl::string_view key, absl::string_view value) const override {
    return {absl::StrCat("set ", key, " 0 0 ", value.size(), "\r\n", value, "\r\n"), {{kLine}}};
  }
  Call Get(absl::string_view key, size_t) const override {
    return {absl::StrCat("get ", key, "\r\n"), {{kValue}}};
  }
  Call Add(absl::string_view key, int64_t delta) const override {
    return {absl::StrCat("incr ", key, " ", delta, "\r\n"), {{kLine}}};
  }
  Call MakeCounter(absl::string_view key) const override { return Set(key, "0"); }
  Call Await(absl::string_view key) const override { return Get(key, 0); }
  Call Hold(absl::Span<const std::string> keys, Gate) const override { return Get(keys[0], 0); }
  Call Wake(absl::string_view key, Gate, int) const override { return Set(key, "1"); }
  absl::StatusOr<Call> Push(absl::string_view, Gate, absl::string_view) const override {
    return absl::UnimplementedError("memcached has no queues");
  }
  absl::StatusOr<std::vector<Call>> Take(absl::string_view, Gate, size_t) const override {
    return absl::UnimplementedError("memcached has no queues");
  }
  bool HoldsOnServer() const override { return false; }

  std::optional<uint64_t> AnswerBytes(Expected expected, absl::string_view in) const override {
    const std::optional<uint64_t> line = LineBytes(in);
    if (!line) return std::nullopt;
    if (IsError(in)) return 0;
    if (expected.form == kLine || in.substr(0, kEnd.size()) == kEnd) return line;
    const std::vector<absl::string_view> words =
        absl::StrSplit(in.substr(0, *line - 2), absl::MaxSplits(' ', 3));
    uint64_t length;
    if (words.size() != 4 || !absl::SimpleAtoi(words[3], &length)) return 0;
    return *line + length + 2 + kEnd.size();
  }

  bool NotYet(absl::string_view answer) const override { return answer == kEnd; }

  std::optional<int64_t> Number(absl::string_view answer) const override {
    int64_t number;
    if (answer.size() < 3 || !absl::SimpleAtoi(answer.substr(0, answer.size() - 2), &number)) {
      return std::nullopt;
    }
    return number;
  }
};

}  // namespace

std::unique_ptr<Dialog> MakeMemcachedDialog() { return std::make_unique<MemcachedDialog>(); }

}  // namespace rollcall::bench
