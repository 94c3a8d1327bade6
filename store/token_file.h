// Tokens, by which a server knows its clients: the file that they are in.
#ifndef ROLLCALL_STORE_TOKEN_FILE_H_
#define ROLLCALL_STORE_TOKEN_FILE_H_

#include <cstddef>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace rollcall {

inline constexpr size_t kTokenBytesMin = 16;
inline constexpr size_t kTokenBytesMax = 1024;
inline constexpr size_t kTokenNameBytesMax = 64;

struct NamedToken {
  std::string name;
  std::string token;  // A secret: never in a log or an error.
};

// One token a line, as "name:token", or without a name, which is "default" then. Names are letters,
// digits and _ . -, tokens printable ASCII without spaces. Several may have one name, so that a new
// one can be handed out before the old one goes. Empty lines and those that begin with # are left
// out. InvalidArgument names the line and says what is wrong, never what it holds: no token at all,
// one that is too short or too long, one that is there twice.
absl::StatusOr<std::vector<NamedToken>> ParseTokens(absl::string_view text);

// The same, of a file.
absl::StatusOr<std::vector<NamedToken>> ReadTokenFile(const std::string& path);

// Whether `name` may be a token's, or a name space's.
bool IsTokenName(absl::string_view name);

// Overwrites it, so that it does not stay behind in memory that others are given.
void Wipe(std::string& secret);

}  // namespace rollcall

#endif  // ROLLCALL_STORE_TOKEN_FILE_H_
