// From a URL to the options of an EtcdStore.
#ifndef ROLLCALL_STORE_ETCD_ETCD_URL_H_
#define ROLLCALL_STORE_ETCD_ETCD_URL_H_

#include "absl/status/statusor.h"
#include "store/etcd/etcd_options.h"
#include "store/store_url.h"

namespace rollcall::etcd {

// "etcd://host:2379,host:2379/prefix" with, in any order,
//   ttl=60s                 EtcdOptions::ttl
//   tls=1                   encrypt, and trust those that the system trusts; implied by ca and cert
//   ca=FILE                 the authorities to trust
//   cert=FILE, key=FILE     this client's certificate and its key
//   user=NAME, password_file=FILE   whose last line's end does not count
//   rank, world_size        taken, and of no matter
// Reads the files. InvalidArgument says what is wrong, and with which file; what options contradict
// each other is for EtcdStore::Open to say.
absl::StatusOr<EtcdOptions> OptionsOfUrl(const StoreUrl& url);

}  // namespace rollcall::etcd

#endif  // ROLLCALL_STORE_ETCD_ETCD_URL_H_
