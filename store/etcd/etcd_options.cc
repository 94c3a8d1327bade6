#include "store/etcd/etcd_options.h"

#include "absl/strings/str_cat.h"

namespace rollcall {

absl::Status ValidateEtcdOptions(const EtcdOptions& options) {
  if (options.endpoints.empty()) {
    return absl::InvalidArgumentError("etcd needs at least one endpoint");
  }
  if (options.ttl < kEtcdTtlMin || options.ttl % absl::Seconds(1) != absl::ZeroDuration()) {
    return absl::InvalidArgumentError(absl::StrCat("ttl must be whole seconds, at least ",
                                                   absl::FormatDuration(kEtcdTtlMin), "; got ",
                                                   absl::FormatDuration(options.ttl)));
  }
  if (options.certificate.empty() != options.private_key.empty()) {
    return absl::InvalidArgumentError("a client's certificate and key are given together");
  }
  if (options.user.empty() != options.password.empty()) {
    return absl::InvalidArgumentError("a user and a password are given together");
  }
  return absl::OkStatus();
}

}  // namespace rollcall
