// Writes docs/errors.md anew: `bazel run //docs:update_errors`.
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <string>

#include "docs/error_page.h"

int main() {
  const char* const workspace = std::getenv("BUILD_WORKSPACE_DIRECTORY");
  if (workspace == nullptr) {
    std::cerr << "run it as: bazel run //docs:update_errors\n";
    return 1;
  }
  const std::string path = std::string(workspace) + "/docs/errors.md";
  std::ofstream page(path);
  page << rollcall::RenderErrorPage();
  page.close();
  if (!page) {
    std::cerr << "cannot write " << path << "\n";
    return 1;
  }
  std::cout << "wrote " << path << "\n";
  return 0;
}
