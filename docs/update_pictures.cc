// Writes docs/lost_rank.svg anew: `bazel run //docs:update_pictures`.
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <string>

#include "docs/scenario_picture.h"
#include "glog/logging.h"

int main() {
  FLAGS_minloglevel = google::GLOG_ERROR;
  const char* const workspace = std::getenv("BUILD_WORKSPACE_DIRECTORY");
  if (workspace == nullptr) {
    std::cerr << "run it as: bazel run //docs:update_pictures\n";
    return 1;
  }
  const std::string root = workspace;
  std::ofstream picture(root + "/docs/lost_rank.svg");
  picture << rollcall::DrawScenario(root + "/examples/downstream/lost_rank.textproto");
  picture.close();
  if (!picture) {
    std::cerr << "cannot write docs/lost_rank.svg\n";
    return 1;
  }
  std::cout << "wrote docs/lost_rank.svg\n";
  return 0;
}
