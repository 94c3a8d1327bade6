// Servers that several stores of one process share.
#ifndef ROLLCALL_STORE_SHARED_SERVER_H_
#define ROLLCALL_STORE_SHARED_SERVER_H_

#include <memory>

#include "absl/status/statusor.h"
#include "net/env.h"
#include "store/server/server_options.h"
#include "store/server/store_server.h"

namespace rollcall {

// The running shared server of this process on options.port, whatever its other options; if there
// is none, or the port is 0, a new one, which is shared from then on. It stops with its last owner.
// Errors as of StoreServer::Start. Thread-safe.
absl::StatusOr<std::shared_ptr<StoreServer>> ShareServer(net::Env& env,
                                                         const ServerOptions& options);

}  // namespace rollcall

#endif  // ROLLCALL_STORE_SHARED_SERVER_H_
