#include "store/server/server_options.h"

#include "absl/strings/str_cat.h"
#include "store/protocol/dialect.h"
#include "store/server/loop_number.h"
#include "store/token_file.h"

namespace rollcall {
namespace {

absl::Status Invalid(absl::string_view option, absl::string_view value,
                     absl::string_view expected) {
  return absl::InvalidArgumentError(
      absl::StrCat("server option ", option, " is ", value, "; it must be ", expected));
}

}  // namespace

absl::Status ValidateServerOptions(const ServerOptions& options) {
  if (options.expected_clients < 0) {
    return Invalid("expected_clients", absl::StrCat(options.expected_clients), "0 or more");
  }
  if (options.io_threads < 1 || options.io_threads > int{kServerLoopsMax}) {
    return Invalid("io_threads", absl::StrCat(options.io_threads),
                   absl::StrCat("1 to ", kServerLoopsMax));
  }
  if (options.listen_fd >= 0 && !options.host.empty()) {
    return Invalid("host", options.host, "empty where listen_fd says what is listened on");
  }
  if (options.HasTls() != !options.tls.private_key.empty()) {
    return Invalid(options.HasTls() ? "tls.private_key" : "tls.certificate_chain", "empty",
                   "the path of a file: certificate and key go together");
  }
  if (!options.HasTls() && !options.tls.client_ca.empty()) {
    return Invalid("tls.client_ca", options.tls.client_ca, "empty where there is no certificate");
  }
  if (!options.HasTls() && options.tls_port.has_value()) {
    return Invalid("tls_port", absl::StrCat(*options.tls_port), "nothing without a certificate");
  }
  if (!options.tls_port.has_value() && !options.tls_host.empty()) {
    return Invalid("tls_host", options.tls_host, "empty where there is no tls_port");
  }
  if (options.tls_port.has_value() && *options.tls_port != 0 && *options.tls_port == options.port) {
    return Invalid("tls_port", absl::StrCat(*options.tls_port), "another one than port");
  }
  if (options.tls_handshake_timeout <= absl::ZeroDuration()) {
    return Invalid("tls_handshake_timeout", absl::FormatDuration(options.tls_handshake_timeout),
                   "more than 0");
  }
  if (options.name_space_per_token && options.token_file.empty()) {
    return Invalid("name_space_per_token", "true", "false where there is no token_file");
  }
  for (const ServerOptions::NameSpacePort& more : options.name_space_ports) {
    if (!IsTokenName(more.name_space)) {
      return Invalid(
          "name_space_ports", more.name_space,
          absl::StrCat("a name of 1 to ", kTokenNameBytesMax, " letters, digits and _ . -"));
    }
    if (more.port != 0 && more.port == options.port && more.host == options.host) {
      return Invalid("name_space_ports", absl::StrCat(more.port), "another one than port");
    }
  }
  if (options.parser.legacy_dialect == protocol::Dialect::kModern) {
    return Invalid("parser.legacy_dialect", "modern", "a dialect without a greeting");
  }
  if (options.parser.limits.key_bytes_max == 0) {
    return Invalid("parser.limits.key_bytes_max", "0", "1 or more");
  }
  if (options.half_request_timeout <= absl::ZeroDuration()) {
    return Invalid("half_request_timeout", absl::FormatDuration(options.half_request_timeout),
                   "more than 0");
  }
  if (options.idle_timeout <= absl::ZeroDuration()) {
    return Invalid("idle_timeout", absl::FormatDuration(options.idle_timeout), "more than 0");
  }
  if (options.shutdown_grace < absl::ZeroDuration()) {
    return Invalid("shutdown_grace", absl::FormatDuration(options.shutdown_grace), "0 or more");
  }
  if (options.silent_connections_max == 0) {
    return Invalid("silent_connections_max", "0", "1 or more: every connection begins silent");
  }
  if (options.unsent_bytes_soft_max > options.unsent_bytes_hard_max) {
    return Invalid(
        "unsent_bytes_soft_max", absl::StrCat(options.unsent_bytes_soft_max),
        absl::StrCat("at most unsent_bytes_hard_max, which is ", options.unsent_bytes_hard_max));
  }
  return absl::OkStatus();
}

}  // namespace rollcall
