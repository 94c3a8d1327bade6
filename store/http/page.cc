#include "store/http/page.h"

#include "store/http/page/page_files.h"

namespace rollcall::http {
namespace {

constexpr PageFile kFiles[] = {
    {"/", "text/html; charset=utf-8", kIndexHtml},
    {"/page.css", "text/css; charset=utf-8", kPageCss},
    {"/page.js", "text/javascript; charset=utf-8", kPageJs},
    {"/icon.svg", "image/svg+xml", kIconSvg},
};

}  // namespace

const PageFile* FindPageFile(absl::string_view path) {
  for (const PageFile& file : kFiles) {
    if (file.path == path) return &file;
  }
  return nullptr;
}

}  // namespace rollcall::http
