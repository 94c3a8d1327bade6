// The user's page of errors, made from the one table of codes.
#ifndef ROLLCALL_DOCS_ERROR_PAGE_H_
#define ROLLCALL_DOCS_ERROR_PAGE_H_

#include <string>

namespace rollcall {

// What docs/errors.md must hold.
std::string RenderErrorPage();

}  // namespace rollcall

#endif  // ROLLCALL_DOCS_ERROR_PAGE_H_
