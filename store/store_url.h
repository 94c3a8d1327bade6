// A store's URL, taken apart.
#ifndef ROLLCALL_STORE_STORE_URL_H_
#define ROLLCALL_STORE_STORE_URL_H_

#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace rollcall {

struct StoreAddress {
  std::string host;  // Without brackets.
  std::string port;  // As written.
};

// "scheme://host:port,host:port/path?name=value&name=value", every part percent-decoded. Parts that
// are not there are empty; what a scheme needs is for its user to say.
struct StoreUrl {
  std::string scheme;  // In lower case.
  // One at least, and more where a scheme's stores have several.
  std::vector<StoreAddress> addresses;
  std::string path;
  std::map<std::string, std::string> parameters;

  // InvalidArgument says which part is wrong.
  static absl::StatusOr<StoreUrl> Parse(absl::string_view text);
};

}  // namespace rollcall

#endif  // ROLLCALL_STORE_STORE_URL_H_
