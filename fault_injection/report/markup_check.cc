#include "fault_injection/report/markup_check.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace rollcall::fault {
namespace {

// What both readers do. Each Take gives false, and consumes nothing that matters, where the text is
// something else.
class Reader {
 public:
  explicit Reader(absl::string_view text) : text_(text), rest_(text) {}

  absl::Status Verdict(bool is_ok) const {
    if (is_ok && rest_.empty()) return absl::OkStatus();
    return absl::InvalidArgumentError(
        absl::StrCat("wrong at byte ", text_.size() - rest_.size(), ": ", rest_.substr(0, 40)));
  }

 protected:
  bool Take(absl::string_view token) {
    if (!absl::StartsWith(rest_, token)) return false;
    rest_.remove_prefix(token.size());
    return true;
  }
  void SkipBlanks() {
    while (!rest_.empty() && absl::ascii_isspace(rest_.front())) rest_.remove_prefix(1);
  }

  const absl::string_view text_;
  absl::string_view rest_;
};

class JsonReader : public Reader {
 public:
  using Reader::Reader;

  bool TakeValue() {
    SkipBlanks();
    const bool is_value = Take("{")   ? TakeMembers('}', /*are_named=*/true)
                          : Take("[") ? TakeMembers(']', /*are_named=*/false)
                          : Take("\"")
                              ? TakeRestOfString()
                              : Take("true") || Take("false") || Take("null") || TakeNumber();
    SkipBlanks();
    return is_value;
  }

 private:
  bool TakeMembers(char end, bool are_named) {
    SkipBlanks();
    if (Take(absl::string_view(&end, 1))) return true;
    do {
      SkipBlanks();
      if (are_named) {
        if (!Take("\"") || !TakeRestOfString()) return false;
        SkipBlanks();
        if (!Take(":")) return false;
      }
      if (!TakeValue()) return false;
    } while (Take(","));
    return Take(absl::string_view(&end, 1));
  }

  bool TakeRestOfString() {
    while (!rest_.empty() && static_cast<uint8_t>(rest_.front()) >= 0x20) {
      if (Take("\"")) return true;
      if (Take("\\")) {
        if (rest_.empty() || !absl::StrContains("\"\\/bfnrt", rest_.substr(0, 1))) return false;
      }
      rest_.remove_prefix(1);
    }
    return false;
  }

  bool TakeNumber() {
    Take("-");
    if (!TakeDigits()) return false;
    return !Take(".") || TakeDigits();
  }
  bool TakeDigits() {
    const size_t before = rest_.size();
    while (!rest_.empty() && absl::ascii_isdigit(rest_.front())) rest_.remove_prefix(1);
    return rest_.size() < before;
  }
};

class XmlReader : public Reader {
 public:
  using Reader::Reader;

  bool TakeDocument() {
    if (Take("<?xml")) rest_.remove_prefix(std::min(rest_.find("?>"), rest_.size() - 2) + 2);
    SkipBlanks();
    if (!absl::StartsWith(rest_, "<")) return false;
    do {
      if (!TakeTagOrText()) return false;
    } while (!open_.empty());
    SkipBlanks();
    return true;
  }

 private:
  bool TakeTagOrText() {
    if (Take("</")) {
      if (open_.empty() || !Take(open_.back()) || !Take(">")) return false;
      open_.pop_back();
      return true;
    }
    if (Take("<")) return TakeOpenTag();
    if (rest_.empty()) return false;
    return TakeCharacter();
  }

  bool TakeOpenTag() {
    open_.push_back(TakeName());
    if (open_.back().empty()) return false;
    while (Take(" ")) {
      if (TakeName().empty() || !Take("=\"")) return false;
      while (!Take("\"")) {
        if (rest_.empty() || rest_.front() == '<' || !TakeCharacter()) return false;
      }
    }
    if (Take(">")) return true;
    open_.pop_back();
    return Take("/>");
  }

  std::string TakeName() {
    std::string name;
    while (!rest_.empty() && (absl::ascii_isalnum(rest_.front()) || rest_.front() == '-')) {
      name += rest_.front();
      rest_.remove_prefix(1);
    }
    return name;
  }

  bool TakeCharacter() {
    if (absl::StartsWith(rest_, "&")) {
      return Take("&amp;") || Take("&lt;") || Take("&gt;") || Take("&quot;");
    }
    const uint8_t c = static_cast<uint8_t>(rest_.front());
    rest_.remove_prefix(1);
    return c >= 0x20 || c == '\n';
  }

  std::vector<std::string> open_;
};

}  // namespace

absl::Status CheckJson(absl::string_view text) {
  JsonReader reader(text);
  const bool is_json = reader.TakeValue();
  return reader.Verdict(is_json);
}

absl::Status CheckXml(absl::string_view text) {
  XmlReader reader(text);
  const bool is_xml = reader.TakeDocument();
  return reader.Verdict(is_xml);
}

}  // namespace rollcall::fault
