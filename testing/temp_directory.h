// A directory of a test's own, gone at its end.
#ifndef ROLLCALL_TESTING_TEMP_DIRECTORY_H_
#define ROLLCALL_TESTING_TEMP_DIRECTORY_H_

#include <string>

namespace rollcall {

class TempDirectory {
 public:
  TempDirectory();
  ~TempDirectory();
  TempDirectory(const TempDirectory&) = delete;
  TempDirectory& operator=(const TempDirectory&) = delete;

  const std::string& path() const { return path_; }
  std::string File(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

}  // namespace rollcall

#endif  // ROLLCALL_TESTING_TEMP_DIRECTORY_H_
