#include "fault_injection/history.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace rollcall::fault {
namespace {

struct KindName {
  HistoryKind kind;
  absl::string_view name;
};

constexpr std::array<KindName, 14> kKindNames = {{
    {HistoryKind::kSet, "set"},
    {HistoryKind::kCompareSet, "compare_set"},
    {HistoryKind::kGet, "get"},
    {HistoryKind::kAdd, "add"},
    {HistoryKind::kCheck, "check"},
    {HistoryKind::kWait, "wait"},
    {HistoryKind::kDeleteKey, "delete"},
    {HistoryKind::kAppend, "append"},
    {HistoryKind::kMultiGet, "multi_get"},
    {HistoryKind::kMultiSet, "multi_set"},
    {HistoryKind::kQueuePush, "queue_push"},
    {HistoryKind::kQueuePop, "queue_pop"},
    {HistoryKind::kQueueEmpty, "queue_empty"},
    {HistoryKind::kQueueLen, "queue_len"},
}};

// How many keys, values and results an operation has; the linearizer relies on it.
constexpr size_t kAny = static_cast<size_t>(-1);
constexpr size_t kAsKeys = static_cast<size_t>(-2);
struct Shape {
  size_t keys;
  size_t values;
  size_t results;
};

Shape ShapeOf(HistoryKind kind) {
  switch (kind) {
    case HistoryKind::kSet:
    case HistoryKind::kAppend:
    case HistoryKind::kQueuePush:
      return {1, 1, 0};
    case HistoryKind::kCompareSet:
      return {1, 2, 1};
    case HistoryKind::kGet:
    case HistoryKind::kQueuePop:
      return {1, 0, 1};
    case HistoryKind::kAdd:
    case HistoryKind::kDeleteKey:
    case HistoryKind::kQueueEmpty:
    case HistoryKind::kQueueLen:
      return {1, 0, 0};
    case HistoryKind::kCheck:
    case HistoryKind::kWait:
      return {kAny, 0, 0};
    case HistoryKind::kMultiGet:
      return {kAny, 0, kAsKeys};
    case HistoryKind::kMultiSet:
      return {kAny, kAsKeys, 0};
  }
  return {};
}

bool Fits(size_t count, size_t expected, size_t keys) {
  return expected == kAny || count == (expected == kAsKeys ? keys : expected);
}

bool HasRightShape(const Operation& operation) {
  const Shape shape = ShapeOf(operation.kind);
  const size_t keys = operation.keys.size();
  return Fits(keys, shape.keys, keys) && Fits(operation.values.size(), shape.values, keys) &&
         (operation.outcome != Outcome::kOk || Fits(operation.results.size(), shape.results, keys));
}

void AppendQuoted(const std::vector<std::string>& texts, std::string& line) {
  for (const std::string& text : texts) {
    absl::StrAppend(&line, " \"", absl::CHexEscape(text), "\"");
  }
}

// Words and quoted texts, one after the other.
class Words {
 public:
  explicit Words(absl::string_view line) : rest_(line) {}

  // The next bare word, if it is next.
  bool Take(absl::string_view word) {
    SkipSpace();
    if (rest_.substr(0, word.size()) != word) return false;
    rest_.remove_prefix(word.size());
    return true;
  }
  bool TakeNumber(int64_t& number) {
    SkipSpace();
    const size_t end = std::min(rest_.find(' '), rest_.size());
    if (!absl::SimpleAtoi(rest_.substr(0, end), &number)) return false;
    rest_.remove_prefix(end);
    return true;
  }
  std::string TakeWord() {
    SkipSpace();
    const size_t end = std::min(rest_.find(' '), rest_.size());
    std::string word(rest_.substr(0, end));
    rest_.remove_prefix(end);
    return word;
  }
  // All quoted texts that are next. False if one is not closed or not well escaped.
  bool TakeTexts(std::vector<std::string>& texts) {
    while (Take("\"")) {
      size_t end = 0;
      while (end < rest_.size() && rest_[end] != '"') end += rest_[end] == '\\' ? 2 : 1;
      if (end >= rest_.size()) return false;
      std::string text;
      if (!absl::CUnescape(rest_.substr(0, end), &text)) return false;
      texts.push_back(std::move(text));
      rest_.remove_prefix(end + 1);
    }
    return true;
  }
  bool AtEnd() {
    SkipSpace();
    return rest_.empty();
  }

 private:
  void SkipSpace() { rest_ = absl::StripLeadingAsciiWhitespace(rest_); }
  absl::string_view rest_;
};

bool ParseKind(const std::string& name, HistoryKind& kind) {
  for (const KindName& known : kKindNames) {
    if (known.name != absl::string_view(name)) continue;
    kind = known.kind;
    return true;
  }
  return false;
}

bool ParseOutcome(Words& words, Operation& operation) {
  if (words.Take("failed")) {
    operation.outcome = Outcome::kFailed;
  } else if (words.Take("unknown")) {
    operation.outcome = Outcome::kUnknown;
  } else {
    if (!words.TakeTexts(operation.results)) return false;
    words.TakeNumber(operation.result_number);
  }
  return true;
}

bool ParseOperation(absl::string_view line, Operation& operation) {
  Words words(line);
  int64_t client = 0;
  if (!words.TakeNumber(client) || !ParseKind(words.TakeWord(), operation.kind)) return false;
  operation.client = static_cast<int>(client);
  if (!words.TakeTexts(operation.keys)) return false;
  if (words.Take("= ") && !words.TakeTexts(operation.values)) return false;
  if (words.Take("+ ") && !words.TakeNumber(operation.number)) return false;
  int64_t invoked = 0;
  int64_t returned = 0;
  if (!words.Take("->") || !ParseOutcome(words, operation) || !words.Take("@") ||
      !words.TakeNumber(invoked) || !words.TakeNumber(returned)) {
    return false;
  }
  operation.invoked = absl::FromUnixNanos(invoked);
  operation.returned = absl::FromUnixNanos(returned);
  return words.AtEnd() && HasRightShape(operation);
}

}  // namespace

absl::string_view HistoryKindName(HistoryKind kind) {
  for (const KindName& known : kKindNames) {
    if (known.kind == kind) return known.name;
  }
  return "?";
}

std::string Operation::ToString() const {
  std::string line = absl::StrCat(client, " ", HistoryKindName(kind));
  AppendQuoted(keys, line);
  if (!values.empty()) {
    line += " =";
    AppendQuoted(values, line);
  }
  if (number != 0) absl::StrAppend(&line, " + ", number);
  line += " ->";
  switch (outcome) {
    case Outcome::kOk:
      AppendQuoted(results, line);
      if (result_number != 0) absl::StrAppend(&line, " ", result_number);
      break;
    case Outcome::kFailed:
      line += " failed";
      break;
    case Outcome::kUnknown:
      line += " unknown";
      break;
  }
  absl::StrAppend(&line, " @ ", absl::ToUnixNanos(invoked), " ", absl::ToUnixNanos(returned));
  return line;
}

std::string HistoryToText(const History& history) {
  std::string text;
  for (const Operation& operation : history) absl::StrAppend(&text, operation.ToString(), "\n");
  return text;
}

absl::StatusOr<History> HistoryFromText(absl::string_view text) {
  History history;
  int number = 0;
  for (absl::string_view line : absl::StrSplit(text, '\n')) {
    ++number;
    line = absl::StripAsciiWhitespace(line);
    if (line.empty() || line.front() == '#') continue;
    Operation operation;
    if (!ParseOperation(line, operation)) {
      return absl::InvalidArgumentError(absl::StrCat(
          "line ", number, " is no operation: ", line,
          "; one reads: 3 compare_set \"k\" = \"old\" \"new\" -> \"new\" @ 1500000 2000000"));
    }
    history.push_back(std::move(operation));
  }
  return history;
}

}  // namespace rollcall::fault
