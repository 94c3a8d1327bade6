// Where an etcd cluster is, and how to be let in.
#ifndef ROLLCALL_STORE_ETCD_ETCD_OPTIONS_H_
#define ROLLCALL_STORE_ETCD_ETCD_OPTIONS_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "store/store.h"

namespace rollcall {

struct EtcdOptions {
  // "host:port" or "[v6]:port" of the members' client ports; one is enough, but then its end is the
  // end. They are tried in turn.
  std::vector<std::string> endpoints = {};
  // What every key of the job begins with. Jobs with different prefixes do not see each other, as
  // long as neither prefix, with a "/", is the beginning of the other.
  std::string prefix = "/rollcall";
  // How long the job's keys outlive its last rank; whole seconds, at least kEtcdTtlMin. The first
  // rank's counts for all.
  absl::Duration ttl = absl::Seconds(60);
  absl::Duration timeout = kDefaultTimeout;

  // --- TLS: PEM texts, not file names ---
  bool use_tls = false;
  std::string ca_certificates = {};  // Empty: those that the system trusts.
  std::string certificate = {};      // Of this client, with its key; or both empty.
  std::string private_key = {};

  // --- etcd's own users ---
  std::string user = {};  // Empty: none.
  std::string password = {};
};

constexpr absl::Duration kEtcdTtlMin = absl::Seconds(5);

// InvalidArgument where options are impossible, or contradict each other.
absl::Status ValidateEtcdOptions(const EtcdOptions& options);

}  // namespace rollcall

#endif  // ROLLCALL_STORE_ETCD_ETCD_OPTIONS_H_
