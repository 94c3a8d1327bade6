#include "fault_injection/report/json_text.h"

#include "absl/strings/str_cat.h"
#include "fault_injection/report/report_text.h"

namespace rollcall::fault {

std::string JsonString(absl::string_view text) {
  std::string quoted = "\"";
  while (!text.empty()) {
    const size_t line_end = text.find('\n');
    for (const char c : Printable(text.substr(0, line_end))) {
      if (c == '"' || c == '\\') quoted += '\\';
      quoted += c;
    }
    if (line_end == absl::string_view::npos) break;
    quoted += "\\n";
    text.remove_prefix(line_end + 1);
  }
  return quoted + "\"";
}

JsonObject& JsonObject::Add(absl::string_view name, absl::string_view text) {
  return AddJson(name, JsonString(text));
}

JsonObject& JsonObject::Add(absl::string_view name, int64_t number) {
  return AddJson(name, absl::StrCat(number));
}

JsonObject& JsonObject::AddJson(absl::string_view name, absl::string_view json) {
  absl::StrAppend(&members_, members_.empty() ? "" : ",", JsonString(name), ":", json);
  return *this;
}

std::string JsonObject::Text() const { return absl::StrCat("{", members_, "}"); }

}  // namespace rollcall::fault
