#include "testing/temp_directory.h"

#include <cstdlib>
#include <filesystem>
#include <system_error>

namespace rollcall {

TempDirectory::TempDirectory() {
  const char* base = std::getenv("TEST_TMPDIR");
  std::string pattern = std::string(base == nullptr ? "/tmp" : base) + "/rollcall-XXXXXX";
  const char* made = mkdtemp(pattern.data());
  if (made == nullptr) std::abort();
  path_ = made;
}

TempDirectory::~TempDirectory() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

}  // namespace rollcall
