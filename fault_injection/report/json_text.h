// JSON, one value at a time.
#ifndef ROLLCALL_FAULT_INJECTION_REPORT_JSON_TEXT_H_
#define ROLLCALL_FAULT_INJECTION_REPORT_JSON_TEXT_H_

#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"

namespace rollcall::fault {

// In quotes and escaped. What is not UTF-8 comes out as "\\xNN", so that every parser takes it.
std::string JsonString(absl::string_view text);

// An object, its members in the order in which they were added.
class JsonObject {
 public:
  JsonObject& Add(absl::string_view name, absl::string_view text);
  JsonObject& Add(absl::string_view name, int64_t number);
  // `json` is a value already.
  JsonObject& AddJson(absl::string_view name, absl::string_view json);
  std::string Text() const;

 private:
  std::string members_;
};

}  // namespace rollcall::fault

#endif  // ROLLCALL_FAULT_INJECTION_REPORT_JSON_TEXT_H_
