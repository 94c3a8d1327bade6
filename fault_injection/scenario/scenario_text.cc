#include "fault_injection/scenario/scenario_text.h"

#include <google/protobuf/descriptor.h>
#include <google/protobuf/io/tokenizer.h>
#include <google/protobuf/text_format.h>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "tools/suggest.h"

namespace rollcall::fault {
namespace {

using google::protobuf::Descriptor;

// "; did you mean ...?" for protobuf's words about an unknown field:
//   Message type "rollcall.fault.Step" has no field named "barier".
std::string SuggestionFor(absl::string_view message) {
  const std::vector<absl::string_view> parts = absl::StrSplit(message, '"');
  if (parts.size() < 4 || parts[2] != " has no field named ") return "";
  const Descriptor* const type =
      Scenario::descriptor()->file()->pool()->FindMessageTypeByName(std::string(parts[1]));
  if (type == nullptr) return "";
  std::vector<std::string> names;
  for (int i = 0; i < type->field_count(); ++i) names.emplace_back(type->field(i)->name());
  const std::vector<absl::string_view> words(names.begin(), names.end());
  const absl::string_view nearest = tools::NearestWord(parts[3], words);
  if (nearest.empty()) return absl::StrCat(" It has: ", absl::StrJoin(names, ", "), ".");
  return absl::StrCat(" Did you mean \"", nearest, "\"?");
}

// Protobuf has had both of these names for the method, with different types of text.
class Errors final : public google::protobuf::io::ErrorCollector {
 public:
  explicit Errors(absl::string_view file) : file_(file.data(), file.size()) {}

  void AddError(int line, int column, const std::string& message) { Add(line, column, message); }
  void RecordError(int line, int column, absl::string_view message) { Add(line, column, message); }

  const std::vector<std::string>& lines() const { return lines_; }

 private:
  void Add(int line, int column, absl::string_view message) {
    lines_.push_back(
        absl::StrCat(file_, ":", line + 1, ":", column + 1, ": ", message, SuggestionFor(message)));
  }

  const std::string file_;
  std::vector<std::string> lines_;
};

}  // namespace

absl::StatusOr<Scenario> ParseScenario(absl::string_view text, absl::string_view file) {
  Errors errors(file);
  google::protobuf::TextFormat::Parser parser;
  parser.RecordErrorsTo(&errors);
  Scenario scenario;
  if (!parser.ParseFromString(std::string(text), &scenario)) {
    return absl::InvalidArgumentError(absl::StrJoin(errors.lines(), "\n"));
  }
  const std::vector<std::string> problems = CheckScenario(scenario);
  if (problems.empty()) return scenario;
  return absl::InvalidArgumentError(
      absl::StrCat(file, ": ", absl::StrJoin(problems, absl::StrCat("\n", file, ": "))));
}

}  // namespace rollcall::fault
