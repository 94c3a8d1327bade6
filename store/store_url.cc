#include "store/store_url.h"

#include <cstddef>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"

namespace rollcall {
namespace {

absl::Status Wrong(absl::string_view url, absl::string_view what) {
  return absl::InvalidArgumentError(
      absl::StrCat("invalid store URL \"", absl::Utf8SafeCHexEscape(url), "\": ", what));
}

absl::StatusOr<std::string> PercentDecode(absl::string_view url, absl::string_view text) {
  std::string decoded;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      decoded.push_back(text[i]);
      continue;
    }
    if (i + 2 >= text.size() || !absl::ascii_isxdigit(static_cast<unsigned char>(text[i + 1])) ||
        !absl::ascii_isxdigit(static_cast<unsigned char>(text[i + 2]))) {
      return Wrong(url, absl::StrCat("\"", text.substr(i, 3),
                                     "\" is no percent-encoded byte; a % itself is %25"));
    }
    decoded += absl::HexStringToBytes(std::string(text.substr(i + 1, 2)));
    i += 2;
  }
  return decoded;
}

// "host", "host:port", "[v6]:port".
absl::Status ParseAddress(absl::string_view url, absl::string_view address, StoreUrl& parsed) {
  absl::string_view host = address;
  absl::string_view port;
  if (absl::ConsumePrefix(&address, "[")) {
    const size_t end = address.find(']');
    if (end == absl::string_view::npos) return Wrong(url, "the \"[\" of the address has no \"]\"");
    host = address.substr(0, end);
    port = address.substr(end + 1);
    if (!port.empty() && !absl::ConsumePrefix(&port, ":")) {
      return Wrong(url, "after \"]\" only \":port\" can follow");
    }
  } else if (const size_t colon = host.rfind(':'); colon != absl::string_view::npos) {
    port = host.substr(colon + 1);
    host = host.substr(0, colon);
    if (host.find(':') != absl::string_view::npos) {
      return Wrong(url, "an IPv6 address is written in brackets: [::1]:29500");
    }
  }
  absl::StatusOr<std::string> decoded = PercentDecode(url, host);
  if (!decoded.ok()) return decoded.status();
  parsed.addresses.push_back({.host = *std::move(decoded), .port = std::string(port)});
  return absl::OkStatus();
}

absl::Status ParseParameters(absl::string_view url, absl::string_view query, StoreUrl& parsed) {
  for (absl::string_view pair : absl::StrSplit(query, '&', absl::SkipEmpty())) {
    const std::vector<absl::string_view> parts = absl::StrSplit(pair, absl::MaxSplits('=', 1));
    if (parts.size() != 2) {
      return Wrong(url, absl::StrCat("the parameter \"", pair, "\" has no \"=value\""));
    }
    absl::StatusOr<std::string> name = PercentDecode(url, parts[0]);
    if (!name.ok()) return name.status();
    absl::StatusOr<std::string> value = PercentDecode(url, parts[1]);
    if (!value.ok()) return value.status();
    if (!parsed.parameters.emplace(*name, *std::move(value)).second) {
      return Wrong(url, absl::StrCat("the parameter \"", *name, "\" is there twice"));
    }
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<StoreUrl> StoreUrl::Parse(absl::string_view text) {
  StoreUrl parsed;
  const size_t scheme_end = text.find("://");
  if (scheme_end == absl::string_view::npos || scheme_end == 0) {
    return Wrong(text, "it must begin with a scheme, as in tcp://host:29500");
  }
  parsed.scheme = absl::AsciiStrToLower(text.substr(0, scheme_end));
  absl::string_view rest = text.substr(scheme_end + 3);
  if (const size_t query = rest.find('?'); query != absl::string_view::npos) {
    absl::Status parameters = ParseParameters(text, rest.substr(query + 1), parsed);
    if (!parameters.ok()) return parameters;
    rest = rest.substr(0, query);
  }
  if (const size_t slash = rest.find('/'); slash != absl::string_view::npos) {
    absl::StatusOr<std::string> path = PercentDecode(text, rest.substr(slash));
    if (!path.ok()) return path.status();
    parsed.path = *std::move(path);
    rest = rest.substr(0, slash);
  }
  for (absl::string_view address : absl::StrSplit(rest, ',')) {
    if (absl::Status right = ParseAddress(text, address, parsed); !right.ok()) return right;
  }
  return parsed;
}

}  // namespace rollcall
