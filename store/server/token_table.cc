#include "store/server/token_table.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include <algorithm>
#include <utility>

#include "glog/logging.h"

namespace rollcall {

TokenTable::Digest TokenTable::DigestOf(absl::string_view token) {
  Digest digest = {};
  unsigned int size_bytes = 0;
  CHECK_EQ(
      EVP_Digest(token.data(), token.size(), digest.data(), &size_bytes, EVP_sha256(), nullptr), 1);
  CHECK_EQ(size_bytes, digest.size());
  return digest;
}

TokenTable::TokenTable(std::vector<NamedToken> tokens) {
  for (NamedToken& token : tokens) {
    entries_.push_back({.digest = DigestOf(token.token),
                        .name = std::make_shared<const std::string>(std::move(token.name))});
    Wipe(token.token);
  }
}

bool TokenTable::HasName(absl::string_view name) const {
  return std::any_of(entries_.begin(), entries_.end(),
                     [&](const Entry& entry) { return *entry.name == name; });
}

std::shared_ptr<const std::string> TokenTable::NameOf(absl::string_view token) const {
  const Digest digest = DigestOf(token);
  const Entry* found = nullptr;
  // All of them, also when it is found.
  for (const Entry& entry : entries_) {
    if (CRYPTO_memcmp(entry.digest.data(), digest.data(), digest.size()) == 0) found = &entry;
  }
  return found == nullptr ? nullptr : found->name;
}

}  // namespace rollcall
