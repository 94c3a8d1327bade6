// Whom a server lets in: its certificate, whose clients it takes, and its tokens. From files that
// may be read anew while it serves.
#ifndef ROLLCALL_STORE_SERVER_SERVER_SECURITY_H_
#define ROLLCALL_STORE_SERVER_SERVER_SECURITY_H_

#include <memory>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "net/env.h"
#include "net/monitor.h"
#include "net/tls/tls_context.h"
#include "net/tls/tls_files.h"
#include "store/server/server_options.h"
#include "store/server/token_table.h"

namespace rollcall {

// Thread-safe. What it has given out stays as it was: connections under way are not touched by a
// reload.
class ServerSecurity {
 public:
  // Reads the files that `options` name. InvalidArgument names the file that is wrong, and how.
  // Warns in the log of a certificate that has ended or will within a week, and of tokens that
  // others can read on the disk or on the network.
  static absl::StatusOr<std::unique_ptr<ServerSecurity>> Load(net::Env& env,
                                                              const ServerOptions& options);

  // Reads the files anew. If one of them is wrong, nothing changes, and the error is as of Load.
  absl::Status Reload();

  // nullptr: nobody has to encrypt.
  std::shared_ptr<const net::TlsContext> tls() const;
  // nullptr: nobody needs one.
  std::shared_ptr<const TokenTable> tokens() const;

 private:
  ServerSecurity(net::Env& env, const ServerOptions& options);

  net::Env& env_;
  const net::TlsServerFiles files_;
  const std::string token_file_;
  const std::unique_ptr<net::Monitor> owned_monitor_;
  net::Monitor* const monitor_;
  std::shared_ptr<const net::TlsContext> tls_ ABSL_GUARDED_BY(monitor_);
  std::shared_ptr<const TokenTable> tokens_ ABSL_GUARDED_BY(monitor_);
};

}  // namespace rollcall

#endif  // ROLLCALL_STORE_SERVER_SERVER_SECURITY_H_
