// docs/faults.md as the catalogue of scenarios has it.
#ifndef ROLLCALL_DOCS_FAULT_PAGES_H_
#define ROLLCALL_DOCS_FAULT_PAGES_H_

#include <string>
#include <vector>

#include "docs/fault_rows.pb.h"
#include "fault_injection/scenario/scenario.pb.h"

namespace rollcall {

struct CatalogueEntry {
  std::string name;  // Of the file, without its ending.
  fault::Scenario scenario;
};

struct Catalogue {
  FaultRows rows;
  std::vector<CatalogueEntry> scenarios;  // In the order of their first rows, then by name.
};

// `rows_file` is textproto of FaultRows; each `scenarios_folder`/*.textproto is a scenario.
// Ends the process with a message for one that cannot be read, for a scenario whose rows are none
// of the rows, and for a row that no scenario shows and that does not say why.
Catalogue ReadCatalogue(const std::string& rows_file, const std::string& scenarios_folder);

// The page: for each row what the kernel does; for each of its scenarios what goes wrong, and what
// each rank saw in a run of seed 1.
std::string RenderFaultPages(const Catalogue& catalogue);

}  // namespace rollcall

#endif  // ROLLCALL_DOCS_FAULT_PAGES_H_
