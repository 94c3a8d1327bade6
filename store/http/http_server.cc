#include "store/http/http_server.h"

#include <cstdarg>
#include <cstdio>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "glog/logging.h"
#include "store/http/microhttpd.h"

namespace rollcall::http {
namespace {

constexpr size_t kConnectionBytesMax = 32 << 10;  // For one connection's request and headers.

// Nothing that is shown comes from elsewhere, runs from elsewhere, or is shown inside of another
// page; and nothing is kept.
constexpr std::pair<const char*, const char*> kHeaders[] = {
    {"Content-Security-Policy",
     "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
     "img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"},
    {"X-Content-Type-Options", "nosniff"},
    {"X-Frame-Options", "DENY"},
    {"Referrer-Policy", "no-referrer"},
    {"Cross-Origin-Resource-Policy", "same-origin"},
    {"Cache-Control", "no-store"},
};

// "localhost:80", "127.0.0.1", "[::1]:80".
bool NamesLoopback(absl::string_view host) {
  const size_t colon = host.rfind(':');
  const size_t bracket = host.rfind(']');
  const bool has_port = colon != host.npos && (bracket == host.npos || colon > bracket);
  const absl::StatusOr<net::Endpoint> endpoint =
      net::Endpoint::Parse(has_port ? std::string(host) : absl::StrCat(host, ":80"));
  if (!endpoint.ok()) return false;
  if (absl::EqualsIgnoreCase(endpoint->host, "localhost")) return true;
  const absl::StatusOr<net::SocketAddress> address =
      net::SocketAddress::FromNumeric(endpoint->host, endpoint->port);
  return address.ok() && address->is_loopback();
}

class MicroHttpServer final : public HttpServer {
 public:
  MicroHttpServer(const MicroHttpd& library, net::SocketAddress address, Handler handler)
      : mhd_(library), address_(address), handler_(std::move(handler)) {}

  ~MicroHttpServer() override {
    if (daemon_ != nullptr) mhd_.stop_daemon(daemon_);
  }

  // Owns `fd` if it is true.
  bool Start(int fd, const HttpServerOptions& options) {
    daemon_ = mhd_.start_daemon(
        MHD_USE_AUTO_INTERNAL_THREAD | MHD_USE_ERROR_LOG, /*port=*/0, nullptr, nullptr, &OnRequest,
        this, MHD_OPTION_EXTERNAL_LOGGER, &OnLog, nullptr, MHD_OPTION_LISTEN_SOCKET, fd,
        MHD_OPTION_CONNECTION_LIMIT, options.connections_max, MHD_OPTION_PER_IP_CONNECTION_LIMIT,
        options.connections_per_address_max, MHD_OPTION_CONNECTION_TIMEOUT,
        options.idle_seconds_max, MHD_OPTION_CONNECTION_MEMORY_LIMIT, kConnectionBytesMax,
        MHD_OPTION_END);
    return daemon_ != nullptr;
  }

  const net::SocketAddress& address() const override { return address_; }

 private:
  // What the library says of peers that go in the middle of a request, and the like.
  static void OnLog(void* /*context*/, const char* format, va_list arguments) {
    if (!VLOG_IS_ON(1)) return;
    char line[512];
    vsnprintf(line, sizeof(line), format, arguments);
    VLOG(1) << "http: " << line;
  }

  static MHD_Result OnRequest(void* context, MHD_Connection* connection, const char* url,
                              const char* method, const char* /*version*/, const char* /*upload*/,
                              size_t* upload_bytes, void** seen) {
    auto* const self = static_cast<MicroHttpServer*>(context);
    // The first call comes with the headers, and a reply to it would close the connection.
    if (*seen == nullptr) {
      *seen = self;
      return MHD_YES;
    }
    if (*upload_bytes > 0) {
      *upload_bytes = 0;  // No request has a body that anybody reads.
      return MHD_YES;
    }
    return self->Send(connection, self->Answer(connection, url, method));
  }

  std::optional<std::string> Argument(MHD_Connection* connection, const char* name) const {
    const char* const value = mhd_.lookup_connection_value(connection, MHD_GET_ARGUMENT_KIND, name);
    return value == nullptr ? std::nullopt : std::optional<std::string>(value);
  }

  Response Answer(MHD_Connection* connection, const char* url, absl::string_view method) {
    if (method != MHD_HTTP_METHOD_GET && method != MHD_HTTP_METHOD_HEAD) {
      return {.status = MHD_HTTP_METHOD_NOT_ALLOWED, .body = "only GET and HEAD\n"};
    }
    const char* const host =
        mhd_.lookup_connection_value(connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_HOST);
    if (address_.is_loopback() && host != nullptr && !NamesLoopback(host)) {
      return {.status = MHD_HTTP_FORBIDDEN,
              .body = "this server listens on the loopback, and answers to its names only\n"};
    }
    Request request;
    request.path = url;
    request.rank = Argument(connection, "rank");
    request.name_space = Argument(connection, "name_space");
    return handler_(request);
  }

  MHD_Result Send(MHD_Connection* connection, const Response& response) const {
    MHD_Response* const told = mhd_.create_response_from_buffer(
        response.body.size(), const_cast<char*>(response.body.data()), MHD_RESPMEM_MUST_COPY);
    if (told == nullptr) return MHD_NO;
    mhd_.add_response_header(told, MHD_HTTP_HEADER_CONTENT_TYPE, response.content_type.c_str());
    for (const auto& [name, value] : kHeaders) mhd_.add_response_header(told, name, value);
    if (response.status == MHD_HTTP_METHOD_NOT_ALLOWED) {
      mhd_.add_response_header(told, MHD_HTTP_HEADER_ALLOW, "GET, HEAD");
    }
    const MHD_Result queued =
        mhd_.queue_response(connection, static_cast<unsigned>(response.status), told);
    mhd_.destroy_response(told);
    return queued;
  }

  const MicroHttpd& mhd_;
  const net::SocketAddress address_;
  const Handler handler_;
  MHD_Daemon* daemon_ = nullptr;
};

}  // namespace

absl::StatusOr<std::unique_ptr<HttpServer>> HttpServer::Start(net::Env& env,
                                                              const HttpServerOptions& options,
                                                              Handler handler) {
  const absl::StatusOr<const MicroHttpd*> library = LoadMicroHttpd();
  if (!library.ok()) return library.status();
  absl::StatusOr<std::unique_ptr<net::ListeningSocket>> socket = env.Listen(options.endpoint);
  if (!socket.ok()) return socket.status();
  auto server =
      std::make_unique<MicroHttpServer>(**library, (*socket)->address(), std::move(handler));
  if (!server->Start((*socket)->fd(), options)) {
    return absl::ResourceExhaustedError("the system has no thread for an HTTP server");
  }
  (*socket)->Release();
  return server;
}

}  // namespace rollcall::http
