#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "fault_injection/sweep/contract_table.h"

namespace rollcall::fault {
namespace {

using Names = std::set<std::string>;

// Everything that one cell may have in common.
struct Draft {
  Phase phase;
  Names operations;
  Names calls;
  Names faults;
  Observation seen;
};

std::string List(absl::string_view field, const Names& names) {
  if (names.empty()) return "";
  const std::string quoted = absl::StrJoin(
      names, ", ",
      [](std::string* out, const std::string& name) { absl::StrAppend(out, "\"", name, "\""); });
  if (names.size() == 1) return absl::StrCat(" ", field, ": ", quoted);
  return absl::StrCat(" ", field, ": [", quoted, "]");
}

std::string AsText(const Draft& draft) {
  return absl::StrCat("cells {", List("operations", draft.operations),
                      " phase: ", Phase_Name(draft.phase), List("calls", draft.calls),
                      List("faults", draft.faults), List("outcomes", draft.seen.outcomes),
                      List("elsewhere", draft.seen.elsewhere),
                      draft.seen.is_late ? " late_because: \"...\"" : "", " }\n");
}

// Joins drafts that differ in `field` only.
void JoinBy(Names Draft::*field, std::vector<Draft>& drafts) {
  std::vector<Draft> joined;
  for (Draft& draft : drafts) {
    bool is_new = true;
    for (Draft& other : joined) {
      Draft compared = draft;
      compared.*field = other.*field;
      if (compared.phase != other.phase || compared.operations != other.operations ||
          compared.calls != other.calls || compared.faults != other.faults ||
          !(compared.seen == other.seen)) {
        continue;
      }
      (other.*field).merge(draft.*field);
      is_new = false;
      break;
    }
    if (is_new) joined.push_back(std::move(draft));
  }
  drafts = std::move(joined);
}

}  // namespace

std::string CellsAsText(const std::map<CellKey, Observation>& seen) {
  std::vector<Draft> drafts;
  for (const auto& [key, observation] : seen) {
    drafts.push_back({key.phase, {key.operation}, {key.call}, {key.fault}, observation});
  }
  JoinBy(&Draft::faults, drafts);
  JoinBy(&Draft::operations, drafts);
  JoinBy(&Draft::calls, drafts);
  std::string text;
  for (const Draft& draft : drafts) absl::StrAppend(&text, AsText(draft));
  return text;
}

}  // namespace rollcall::fault
