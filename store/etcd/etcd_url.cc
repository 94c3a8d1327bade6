#include "store/etcd/etcd_url.h"

#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "net/tls/tls_files.h"

namespace rollcall::etcd {
namespace {

absl::Status Wrong(absl::string_view what) {
  return absl::InvalidArgumentError(absl::StrCat("invalid etcd:// URL: ", what));
}

absl::Status ReadFile(absl::string_view parameter, const std::string& path, std::string& text) {
  absl::StatusOr<std::string> read = net::ReadSmallFile(path);
  if (!read.ok()) return Wrong(absl::StrCat(parameter, ": ", read.status().message()));
  if (read->empty()) return Wrong(absl::StrCat(parameter, "=", path, ": the file is empty"));
  text = *std::move(read);
  return absl::OkStatus();
}

absl::Status TakeParameter(const std::string& name, const std::string& value,
                           EtcdOptions& options) {
  if (name == "rank" || name == "world_size") return absl::OkStatus();
  if (name == "ttl") {
    if (absl::ParseDuration(value, &options.ttl)) return absl::OkStatus();
    return Wrong(absl::StrCat("ttl must be a duration like 60s or 5m, got \"", value, "\""));
  }
  if (name == "tls") {
    if (value != "0" && value != "1") {
      return Wrong(absl::StrCat("tls must be 0 or 1, got \"", value, "\""));
    }
    options.use_tls = value == "1";
    return absl::OkStatus();
  }
  if (name == "ca") return ReadFile(name, value, options.ca_certificates);
  if (name == "cert") return ReadFile(name, value, options.certificate);
  if (name == "key") return ReadFile(name, value, options.private_key);
  if (name == "user") {
    options.user = value;
    return absl::OkStatus();
  }
  if (name == "password_file") {
    absl::Status read = ReadFile(name, value, options.password);
    while (absl::EndsWith(options.password, "\n") || absl::EndsWith(options.password, "\r")) {
      options.password.pop_back();
    }
    return read;
  }
  return Wrong(absl::StrCat("unknown parameter \"", name,
                            "\"; there are ttl, tls, ca, cert, key, user, password_file, rank and ",
                            "world_size"));
}

}  // namespace

absl::StatusOr<EtcdOptions> OptionsOfUrl(const StoreUrl& url) {
  EtcdOptions options;
  for (const StoreAddress& address : url.addresses) {
    if (address.host.empty()) return Wrong("it names no member: etcd://host:2379/prefix");
    if (address.port.empty()) return Wrong(absl::StrCat(address.host, " has no port"));
    const bool is_ipv6 = absl::StrContains(address.host, ":");
    options.endpoints.push_back(
        absl::StrCat(is_ipv6 ? "[" : "", address.host, is_ipv6 ? "]" : "", ":", address.port));
  }
  if (!url.path.empty() && url.path != "/") options.prefix = url.path;
  bool says_no_tls = false;
  for (const auto& [name, value] : url.parameters) {
    if (absl::Status taken = TakeParameter(name, value, options); !taken.ok()) return taken;
    if (name == "tls") says_no_tls = value == "0";
  }
  const bool has_tls_files = !options.ca_certificates.empty() || !options.certificate.empty();
  if (has_tls_files && says_no_tls) return Wrong("tls=0 contradicts ca and cert");
  if (has_tls_files) options.use_tls = true;
  return options;
}

}  // namespace rollcall::etcd
