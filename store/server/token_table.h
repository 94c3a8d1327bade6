// The tokens that a server takes.
#ifndef ROLLCALL_STORE_SERVER_TOKEN_TABLE_H_
#define ROLLCALL_STORE_SERVER_TOKEN_TABLE_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "store/token_file.h"

namespace rollcall {

// Keeps only a digest of each, so that what is compared is of one length, and no token is in the
// server's memory but while it is looked at. Immutable, and so thread-safe.
class TokenTable {
 public:
  // Wipes the tokens that it is given.
  explicit TokenTable(std::vector<NamedToken> tokens);

  // The name of the token; nullptr if it is none. Takes the same time whatever the token and
  // whichever it is, for one length of `token`.
  std::shared_ptr<const std::string> NameOf(absl::string_view token) const;

  // Whether a token has this name.
  bool HasName(absl::string_view name) const;

  size_t size() const { return entries_.size(); }

 private:
  using Digest = std::array<uint8_t, 32>;
  struct Entry {
    Digest digest;
    std::shared_ptr<const std::string> name;
  };
  static Digest DigestOf(absl::string_view token);

  std::vector<Entry> entries_;
};

}  // namespace rollcall

#endif  // ROLLCALL_STORE_SERVER_TOKEN_TABLE_H_
