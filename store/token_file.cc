#include "store/token_file.h"

#include <openssl/crypto.h>

#include <algorithm>
#include <utility>

#include "absl/algorithm/container.h"
#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "net/tls/tls_files.h"

namespace rollcall {
namespace {

bool IsNameByte(char byte) {
  return absl::ascii_isalnum(static_cast<unsigned char>(byte)) || byte == '_' || byte == '.' ||
         byte == '-';
}

absl::Status Wrong(int line, absl::string_view what) {
  return absl::InvalidArgumentError(absl::StrCat("line ", line, " of the tokens ", what));
}

absl::StatusOr<NamedToken> ParseLine(int number, absl::string_view line) {
  NamedToken parsed{.name = "default", .token = std::string(line)};
  if (const size_t colon = line.find(':'); colon != absl::string_view::npos) {
    parsed.name = std::string(line.substr(0, colon));
    parsed.token = std::string(line.substr(colon + 1));
  }
  if (!IsTokenName(parsed.name)) {
    return Wrong(number, absl::StrCat("has a name that is not 1 to ", kTokenNameBytesMax,
                                      " letters, digits, _ . or -"));
  }
  if (parsed.token.size() < kTokenBytesMin || parsed.token.size() > kTokenBytesMax) {
    return Wrong(number, absl::StrCat("has a token of ", parsed.token.size(), " bytes; it must be ",
                                      kTokenBytesMin, " to ", kTokenBytesMax));
  }
  if (!absl::c_all_of(parsed.token, [](char byte) {
        return absl::ascii_isgraph(static_cast<unsigned char>(byte));
      })) {
    return Wrong(number, "has a token with bytes that are no printable ASCII");
  }
  return parsed;
}

}  // namespace

absl::StatusOr<std::vector<NamedToken>> ParseTokens(absl::string_view text) {
  std::vector<NamedToken> tokens;
  int number = 0;
  for (const absl::string_view raw : absl::StrSplit(text, '\n')) {
    ++number;
    const absl::string_view line = absl::StripAsciiWhitespace(raw);
    if (line.empty() || line.front() == '#') continue;
    absl::StatusOr<NamedToken> parsed = ParseLine(number, line);
    if (!parsed.ok()) return parsed.status();
    if (absl::c_any_of(tokens,
                       [&](const NamedToken& other) { return other.token == parsed->token; })) {
      return Wrong(number, "has a token that is there already");
    }
    tokens.push_back(*std::move(parsed));
  }
  if (tokens.empty()) return absl::InvalidArgumentError("there is no token in it");
  return tokens;
}

absl::StatusOr<std::vector<NamedToken>> ReadTokenFile(const std::string& path) {
  absl::StatusOr<std::string> text = net::ReadSmallFile(path);
  if (!text.ok()) return text.status();
  absl::StatusOr<std::vector<NamedToken>> tokens = ParseTokens(*text);
  Wipe(*text);
  if (tokens.ok()) return tokens;
  return absl::InvalidArgumentError(absl::StrCat(path, ": ", tokens.status().message()));
}

void Wipe(std::string& secret) { OPENSSL_cleanse(secret.data(), secret.size()); }

bool IsTokenName(absl::string_view name) {
  return !name.empty() && name.size() <= kTokenNameBytesMax && absl::c_all_of(name, IsNameByte);
}

}  // namespace rollcall
