// A small HTTP server for pages about a program, beside what the program does.
#ifndef ROLLCALL_STORE_HTTP_HTTP_SERVER_H_
#define ROLLCALL_STORE_HTTP_HTTP_SERVER_H_

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "net/address.h"
#include "net/env.h"

namespace rollcall::http {

// A GET or HEAD; everything else is answered with 405 by the server itself.
struct Request {
  std::string path;  // "/status.json", decoded, without the query.
  // The query's arguments, as far as anybody takes them.
  std::optional<std::string> rank;
  std::optional<std::string> name_space;
};

struct Response {
  int status = 200;
  std::string content_type = "text/plain; charset=utf-8";
  std::string body;
};

struct HttpServerOptions {
  net::Endpoint endpoint;  // Port 0: the system picks one.
  // All connections are served in turn by one thread: many of them cost descriptors and no more.
  unsigned connections_max = 64;
  unsigned connections_per_address_max = 32;
  unsigned idle_seconds_max = 10;
};

// Serves from Start until destruction, in one thread of its own, on real sockets (libmicrohttpd).
// Where it listens on the loopback, it answers only requests whose Host header names the loopback:
// a page elsewhere that makes a browser resolve its own name to 127.0.0.1 reads nothing here.
class HttpServer {
 public:
  // Called on the server's thread, one call at a time. What it takes, all others wait.
  using Handler = std::function<Response(const Request&)>;

  // An absl::Status of net/ where it cannot listen; ResourceExhausted if there is no thread for it.
  static absl::StatusOr<std::unique_ptr<HttpServer>> Start(net::Env& env,
                                                           const HttpServerOptions& options,
                                                           Handler handler);
  // Closes all connections; a call of the handler that is under way is waited for.
  virtual ~HttpServer() = default;

  virtual const net::SocketAddress& address() const = 0;
};

}  // namespace rollcall::http

#endif  // ROLLCALL_STORE_HTTP_HTTP_SERVER_H_
