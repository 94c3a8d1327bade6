#include "store/protocol/first_bytes.h"

#include "absl/strings/match.h"

namespace rollcall::protocol {
namespace {

struct Opening {
  absl::string_view bytes;
  absl::string_view speaker;
};

constexpr absl::string_view kTlsHandshake = "\x16\x03";

constexpr Opening kOpenings[] = {
    {"GET ", "an HTTP request"},
    {"HEAD ", "an HTTP request"},
    {"POST ", "an HTTP request"},
    {"PUT ", "an HTTP request"},
    {"DELETE ", "an HTTP request"},
    {"OPTIONS ", "an HTTP request"},
    {"CONNECT ", "an HTTP request"},
    {"PATCH ", "an HTTP request"},
    {"TRACE ", "an HTTP request"},
    {"PRI * HTTP/2", "an HTTP/2 client"},
    {kTlsHandshake, "a TLS handshake"},
    {"SSH-", "an SSH client"},
    {"PROXY ", "a PROXY protocol header"},
    {"\r\n\r\n", "a PROXY protocol header or a port scanner"},
    {"*1\r\n", "a Redis client"},
    {"*2\r\n", "a Redis client"},
};

}  // namespace

absl::string_view ForeignProtocol(absl::string_view first_bytes) {
  for (const Opening& opening : kOpenings) {
    if (absl::StartsWith(first_bytes, opening.bytes)) return opening.speaker;
  }
  return "";
}

bool LooksLikeTls(absl::string_view first_bytes) {
  return absl::StartsWith(first_bytes, kTlsHandshake);
}

}  // namespace rollcall::protocol
