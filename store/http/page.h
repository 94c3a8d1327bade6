// The live page, as it lies in the binary.
#ifndef ROLLCALL_STORE_HTTP_PAGE_H_
#define ROLLCALL_STORE_HTTP_PAGE_H_

#include "absl/strings/string_view.h"

namespace rollcall::http {

struct PageFile {
  absl::string_view path;  // "/": the page itself; "/page.css", ...
  absl::string_view content_type;
  absl::string_view content;
};

// nullptr: there is no such file.
const PageFile* FindPageFile(absl::string_view path);

}  // namespace rollcall::http

#endif  // ROLLCALL_STORE_HTTP_PAGE_H_
