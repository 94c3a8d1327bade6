// Which server a client is to talk to, and what the two must prove to each other.
#ifndef ROLLCALL_STORE_CLIENT_TARGET_H_
#define ROLLCALL_STORE_CLIENT_TARGET_H_

#include <memory>
#include <string>

#include "net/address.h"
#include "net/tls/tls_context.h"
#include "store/protocol/dialect.h"

namespace rollcall::client {

struct Target {
  net::Endpoint endpoint;
  protocol::Dialect dialect = protocol::Dialect::kModern;
  // nullptr: without TLS.
  std::shared_ptr<const net::TlsContext> tls = nullptr;
  // Whom the server's certificate must be for. Empty: endpoint.host.
  std::string server_name = {};
  // For a server that asks for one; no other is sent it. nullptr: there is none.
  std::shared_ptr<const std::string> token = nullptr;
  // False: a server that keeps a journal is used as one that does not.
  bool resumes = true;
};

}  // namespace rollcall::client

#endif  // ROLLCALL_STORE_CLIENT_TARGET_H_
