// docs/faults.md as the catalogue of scenarios has it.
#ifndef ROLLCALL_DOCS_FAULT_PAGES_H_
#define ROLLCALL_DOCS_FAULT_PAGES_H_

#include <string>
#include <vector>

#include "fault_injection/scenario/scenario.pb.h"

namespace rollcall {

struct CatalogueEntry {
  std::string name;  // Of the file, without its ending.
  fault::Scenario scenario;
};

// Each `scenarios/*.textproto` of this folder, in the order of their rows ("A1", "A2", ... "B10").
// Ends the process with a message for one that cannot be read.
std::vector<CatalogueEntry> ReadCatalogue(const std::string& folder);

// The page: for each scenario what goes wrong, and what each rank saw in a run of seed 1.
std::string RenderFaultPages(const std::vector<CatalogueEntry>& catalogue);

}  // namespace rollcall

#endif  // ROLLCALL_DOCS_FAULT_PAGES_H_
