// Writes docs/faults.md anew: `bazel run //docs:update_faults`.
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <string>

#include "docs/fault_pages.h"
#include "glog/logging.h"

int main() {
  FLAGS_minloglevel = google::GLOG_ERROR;
  const char* const workspace = std::getenv("BUILD_WORKSPACE_DIRECTORY");
  if (workspace == nullptr) {
    std::cerr << "run it as: bazel run //docs:update_faults\n";
    return 1;
  }
  const std::string root = workspace;
  std::ofstream page(root + "/docs/faults.md");
  page << rollcall::RenderFaultPages(rollcall::ReadCatalogue(root + "/docs/fault_rows.textproto",
                                                             root + "/fault_injection/scenarios"));
  page.close();
  if (!page) {
    std::cerr << "cannot write docs/faults.md\n";
    return 1;
  }
  std::cout << "wrote docs/faults.md\n";
  return 0;
}
