#include "fault_injection/sweep/contract_table.h"

#include <google/protobuf/io/tokenizer.h>
#include <google/protobuf/text_format.h>

#include "absl/algorithm/container.h"
#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "fault_injection/scenario/errno_names.h"
#include "store/error_code.h"

namespace rollcall::fault {
namespace {

using Words = google::protobuf::RepeatedPtrField<std::string>;

constexpr char kOk[] = "OK";

// Protobuf has had both of these names for the method, with different types of text.
class Errors final : public google::protobuf::io::ErrorCollector {
 public:
  explicit Errors(absl::string_view file) : file_(file) {}
  void AddError(int line, int column, const std::string& message) { Add(line, column, message); }
  void RecordError(int line, int column, absl::string_view message) { Add(line, column, message); }
  const std::vector<std::string>& lines() const { return lines_; }

 private:
  void Add(int line, int column, absl::string_view message) {
    lines_.push_back(absl::StrCat(file_, ":", line + 1, ":", column + 1, ": ", message));
  }
  const std::string file_;
  std::vector<std::string> lines_;
};

bool IsCode(absl::string_view name) {
  return name == "INVALID_ARGUMENT" ||
         absl::c_any_of(AllErrorCodes(),
                        [&](const ErrorCodeInfo& info) { return info.name == name; });
}

void Resolve(const std::map<std::string, const Group*>& groups, Words& words) {
  Words resolved;
  for (const std::string& word : words) {
    const auto found = groups.find(word);
    if (found == groups.end()) {
      *resolved.Add() = word;
    } else {
      resolved.MergeFrom(found->second->members());
    }
  }
  words.Swap(&resolved);
}

std::vector<std::string> CheckWords(const Cell& cell) {
  std::vector<std::string> problems;
  for (const std::string& call : cell.calls()) {
    const absl::StatusOr<const CallRow*> row = CallNamed(call);
    if (!row.ok()) {
      problems.emplace_back(row.status().message());
      continue;
    }
    for (const std::string& fault : cell.faults()) {
      if (fault == "shortened" || fault == "delayed") continue;
      if (const absl::StatusOr<int> legal = LegalErrnoNamed(**row, fault); !legal.ok()) {
        problems.emplace_back(legal.status().message());
      }
    }
  }
  for (const std::string& code : cell.outcomes()) {
    if (code != kOk && !IsCode(code)) problems.push_back(absl::StrCat("no such code: ", code));
  }
  for (const std::string& code : cell.elsewhere()) {
    if (!IsCode(code)) problems.push_back(absl::StrCat("no such code: ", code));
  }
  if (cell.operations().empty() || cell.calls().empty() || cell.faults().empty()) {
    problems.push_back(
        absl::StrCat("a cell without operations, calls or faults: ", cell.ShortDebugString()));
  }
  return problems;
}

std::vector<std::string> CheckWords(const PairRule& rule) {
  std::vector<std::string> problems;
  for (const std::string& call : rule.calls()) {
    if (const absl::StatusOr<const CallRow*> row = CallNamed(call); !row.ok()) {
      problems.emplace_back(row.status().message());
    }
  }
  for (const std::string& code : rule.may_add()) {
    if (!IsCode(code)) problems.push_back(absl::StrCat("no such code: ", code));
  }
  if (rule.may_add().empty()) {
    problems.push_back(absl::StrCat("a rule that adds nothing: ", rule.ShortDebugString()));
  }
  return problems;
}

bool IsOneOf(const Words& words, absl::string_view word) {
  return words.empty() || absl::c_linear_search(words, word);
}

std::string KeyText(const CellKey& key) {
  return absl::StrCat(key.operation, " ", Phase_Name(key.phase), " ", key.call, " ", key.fault);
}

// Those of a cell's or rule's words that were not met.
class Missing {
 public:
  explicit Missing(const std::set<std::string>& met) : met_(met) {}

  void LookFor(absl::string_view field, absl::string_view word) {
    const std::string text = absl::StrCat(field, " ", word);
    if (!met_.contains(text)) absl::StrAppend(&text_, text_.empty() ? "" : ", ", text);
  }
  void LookFor(absl::string_view field, const Words& words) {
    for (const std::string& word : words) LookFor(field, word);
  }
  const std::string& text() const { return text_; }

 private:
  const std::set<std::string>& met_;
  std::string text_;
};

template <typename Met>
size_t NumberMet(const std::vector<Met>& met) {
  return static_cast<size_t>(absl::c_count_if(met, [](const Met& one) { return one.times > 0; }));
}

}  // namespace

void Observation::Merge(const Observation& other) {
  outcomes.insert(other.outcomes.begin(), other.outcomes.end());
  elsewhere.insert(other.elsewhere.begin(), other.elsewhere.end());
  is_late = is_late || other.is_late;
}

absl::StatusOr<ContractTable> ContractTable::Parse(absl::string_view text, absl::string_view file) {
  Errors errors(file);
  google::protobuf::TextFormat::Parser parser;
  parser.RecordErrorsTo(&errors);
  ContractTable table;
  if (!parser.ParseFromString(std::string(text), &table.contract_)) {
    return absl::InvalidArgumentError(absl::StrJoin(errors.lines(), "\n"));
  }
  const std::vector<std::string> problems = table.Prepare();
  if (problems.empty()) return table;
  return absl::InvalidArgumentError(
      absl::StrCat(file, ": ", absl::StrJoin(problems, absl::StrCat("\n", file, ": "))));
}

std::vector<std::string> ContractTable::Prepare() {
  std::vector<std::string> problems;
  std::map<std::string, const Group*> groups;
  for (const Group& group : contract_.groups()) groups[group.name()] = &group;
  for (int i = 0; i < contract_.cells_size(); ++i) {
    Cell& cell = *contract_.mutable_cells(i);
    Resolve(groups, *cell.mutable_operations());
    Resolve(groups, *cell.mutable_faults());
    for (std::string& problem : CheckWords(cell)) problems.push_back(std::move(problem));
    for (const std::string& operation : cell.operations()) {
      for (const std::string& call : cell.calls()) {
        for (const std::string& fault : cell.faults()) {
          const CellKey key{operation, cell.phase(), call, fault};
          if (!index_.emplace(key, i).second) {
            problems.push_back(absl::StrCat("two cells for ", KeyText(key)));
          }
        }
      }
    }
  }
  met_.resize(static_cast<size_t>(contract_.cells_size()));
  for (std::string& problem : PrepareRules(groups)) problems.push_back(std::move(problem));
  return problems;
}

std::vector<std::string> ContractTable::PrepareRules(
    const std::map<std::string, const Group*>& groups) {
  std::vector<std::string> problems;
  for (PairRule& rule : *contract_.mutable_pairs()) {
    Resolve(groups, *rule.mutable_operations());
    for (std::string& problem : CheckWords(rule)) problems.push_back(std::move(problem));
  }
  rules_met_.resize(static_cast<size_t>(contract_.pairs_size()));
  return problems;
}

const Cell* ContractTable::Find(const CellKey& key) const {
  const auto found = index_.find(key);
  return found == index_.end() ? nullptr : &contract_.cells(static_cast<int>(found->second));
}

std::vector<std::string> ContractTable::Violations(const Cell& cell, const Observation& seen) {
  std::vector<std::string> violations;
  for (const std::string& outcome : seen.outcomes) {
    if (absl::c_linear_search(cell.outcomes(), outcome)) continue;
    violations.push_back(absl::StrCat("the step ended with ", outcome, "; the contract allows ",
                                      absl::StrJoin(cell.outcomes(), ", ")));
  }
  for (const std::string& code : seen.elsewhere) {
    if (absl::c_linear_search(cell.elsewhere(), code)) continue;
    violations.push_back(
        absl::StrCat("another step failed with ", code, "; the contract allows ",
                     cell.elsewhere().empty() ? "nothing" : absl::StrJoin(cell.elsewhere(), ", ")));
  }
  if (seen.is_late && cell.late_because().empty()) {
    violations.push_back("a step took longer than its time-out");
  }
  return violations;
}

void ContractTable::Note(const CellKey& key, const Observation& seen) {
  Met& met = met_[index_.at(key)];
  ++met.times;
  met.words.insert(absl::StrCat("operations ", key.operation));
  met.words.insert(absl::StrCat("calls ", key.call));
  met.words.insert(absl::StrCat("faults ", key.fault));
  for (const std::string& code : seen.outcomes) met.words.insert(absl::StrCat("outcomes ", code));
  for (const std::string& code : seen.elsewhere) met.words.insert(absl::StrCat("elsewhere ", code));
  if (seen.is_late) met.words.insert("late_because ");
}

std::map<size_t, std::set<std::string>> ContractTable::AllowedToPair(const CellKey& second) const {
  std::map<size_t, std::set<std::string>> allowed;
  for (int i = 0; i < contract_.pairs_size(); ++i) {
    const PairRule& rule = contract_.pairs(i);
    const bool is_phase = rule.phase() == PHASE_UNSPECIFIED || rule.phase() == second.phase;
    if (!is_phase || !IsOneOf(rule.operations(), second.operation) ||
        !IsOneOf(rule.calls(), second.call)) {
      continue;
    }
    allowed[static_cast<size_t>(i)] = {rule.may_add().begin(), rule.may_add().end()};
  }
  return allowed;
}

void ContractTable::NotePair(size_t rule, const CellKey& second,
                             const std::set<std::string>& codes) {
  Met& met = rules_met_[rule];
  ++met.times;
  met.words.insert(absl::StrCat("operations ", second.operation));
  met.words.insert(absl::StrCat("calls ", second.call));
  for (const std::string& code : codes) met.words.insert(absl::StrCat("may_add ", code));
}

std::vector<std::string> ContractTable::Unmet() const {
  std::vector<std::string> unmet;
  for (size_t i = 0; i < met_.size(); ++i) {
    const Cell& cell = contract_.cells(static_cast<int>(i));
    Missing missing(met_[i].words);
    missing.LookFor("operations", cell.operations());
    missing.LookFor("calls", cell.calls());
    missing.LookFor("faults", cell.faults());
    missing.LookFor("outcomes", cell.outcomes());
    missing.LookFor("elsewhere", cell.elsewhere());
    if (!cell.late_because().empty()) missing.LookFor("late_because", "");
    if (!missing.text().empty()) {
      unmet.push_back(absl::StrCat("never met: ", missing.text(), " of cells { ",
                                   cell.ShortDebugString(), " }"));
    }
  }
  for (size_t i = 0; i < rules_met_.size(); ++i) {
    const PairRule& rule = contract_.pairs(static_cast<int>(i));
    Missing missing(rules_met_[i].words);
    missing.LookFor("operations", rule.operations());
    missing.LookFor("calls", rule.calls());
    missing.LookFor("may_add", rule.may_add());
    if (!missing.text().empty()) {
      unmet.push_back(absl::StrCat("never met: ", missing.text(), " of pairs { ",
                                   rule.ShortDebugString(), " }"));
    }
  }
  return unmet;
}

size_t ContractTable::cells_met() const { return NumberMet(met_); }

size_t ContractTable::pair_rules_met() const { return NumberMet(rules_met_); }

}  // namespace rollcall::fault
