// The contract as the sweep asks for it: which cell speaks of a fault, and what was met of each.
#ifndef ROLLCALL_FAULT_INJECTION_SWEEP_CONTRACT_TABLE_H_
#define ROLLCALL_FAULT_INJECTION_SWEEP_CONTRACT_TABLE_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "fault_injection/sweep/contract.pb.h"

namespace rollcall::fault {

// What a cell is found by.
struct CellKey {
  std::string operation;
  Phase phase = PHASE_UNSPECIFIED;
  std::string call;
  std::string fault;

  bool operator<(const CellKey& other) const {
    return std::tie(phase, call, fault, operation) <
           std::tie(other.phase, other.call, other.fault, other.operation);
  }
};

// What runs with one fault showed.
struct Observation {
  std::set<std::string> outcomes;   // Of the step in which it fell: "OK" or codes.
  std::set<std::string> elsewhere;  // Codes of other steps.
  bool is_late = false;

  void Merge(const Observation& other);
  bool operator==(const Observation& other) const = default;
};

class ContractTable {
 public:
  // InvalidArgument has all that is wrong, a line each: unknown groups, calls, faults and codes,
  // and two cells for one fault.
  static absl::StatusOr<ContractTable> Parse(absl::string_view text, absl::string_view file);

  // Null if no cell speaks of it.
  const Cell* Find(const CellKey& key) const;
  // The groups are resolved.
  const Contract& contract() const { return contract_; }

  // Why `seen` is not what `cell` allows, a line each.
  static std::vector<std::string> Violations(const Cell& cell, const Observation& seen);
  // Notes that the sweep met it; `key` must have a cell.
  void Note(const CellKey& key, const Observation& seen);
  // What the rules for pairs allow beyond the cells of the two faults, by rule, if the second fault
  // is that of `second`.
  std::map<size_t, std::set<std::string>> AllowedToPair(const CellKey& second) const;
  // Notes that the rule of that index spoke of a pair, and that without it `codes` were violations.
  void NotePair(size_t rule, const CellKey& second, const std::set<std::string>& codes);
  // Words of cells and rules that were never met, a line each: the table says no more than the
  // truth.
  std::vector<std::string> Unmet() const;
  size_t cells_met() const;
  // How often the cell of that index was met.
  uint64_t times(size_t cell) const { return met_[cell].times; }
  size_t pair_rules_met() const;

 private:
  struct Met {
    uint64_t times = 0;
    std::set<std::string> words;  // "operations get", "outcomes OK".
  };

  std::vector<std::string> Prepare();
  std::vector<std::string> PrepareRules(const std::map<std::string, const Group*>& groups);

  Contract contract_;
  std::map<CellKey, size_t> index_;
  std::vector<Met> met_;
  std::vector<Met> rules_met_;
};

// Cells that say what was seen, as text to be pasted into a contract.
std::string CellsAsText(const std::map<CellKey, Observation>& seen);

}  // namespace rollcall::fault

#endif  // ROLLCALL_FAULT_INJECTION_SWEEP_CONTRACT_TABLE_H_
