#include "store/http/http_get.h"

#include <cstddef>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "net/connection.h"
#include "net/net_error.h"

namespace rollcall::http {
namespace {

bool IsEnd(const absl::Status& status) {
  const std::optional<net::NetErrorInfo> info = net::GetNetErrorInfo(status);
  return info.has_value() && info->kind == net::NetErrorKind::kClosedByPeer;
}

absl::StatusOr<std::string> ReadAll(net::Connection& connection, absl::Time deadline) {
  std::string bytes;
  std::vector<char> piece(64 << 10);
  while (bytes.size() <= kFetchedBytesMax) {
    const absl::StatusOr<size_t> count = connection.Read(piece.data(), piece.size(), deadline);
    if (!count.ok() && IsEnd(count.status())) return bytes;
    if (!count.ok()) return count.status();
    bytes.append(piece.data(), *count);
  }
  return absl::DataLossError(absl::StrCat("the answer has more than ", kFetchedBytesMax, " bytes"));
}

absl::StatusOr<Fetched> Parse(std::string bytes) {
  const size_t line_end = bytes.find("\r\n");
  const size_t headers_end = bytes.find("\r\n\r\n");
  Fetched fetched;
  // "HTTP/1.1 200 OK"
  if (!absl::StartsWith(bytes, "HTTP/1.") || headers_end == std::string::npos ||
      !absl::SimpleAtoi(absl::string_view(bytes).substr(9, 3), &fetched.status)) {
    return absl::DataLossError(
        "what answered is no HTTP server; it is --http_port that is asked for here");
  }
  fetched.headers = bytes.substr(line_end + 2, headers_end - line_end);
  fetched.body = bytes.substr(headers_end + 4);
  return fetched;
}

}  // namespace

absl::StatusOr<Fetched> HttpGet(net::Env& env, const net::Endpoint& endpoint,
                                absl::string_view path, absl::Time deadline,
                                absl::string_view method, absl::string_view host) {
  const absl::StatusOr<std::vector<net::SocketAddress>> addresses = env.Resolve(endpoint, deadline);
  if (!addresses.ok()) return addresses.status();
  const absl::StatusOr<std::unique_ptr<net::Connection>> connection =
      env.ConnectAny(*addresses, deadline);
  if (!connection.ok()) return connection.status();
  const std::string request =
      absl::StrCat(method, " ", path,
                   " HTTP/1.0\r\nHost: ", host.empty() ? endpoint.ToString() : std::string(host),
                   "\r\nConnection: close\r\n\r\n");
  if (absl::Status sent = (*connection)->Write(request, deadline); !sent.ok()) return sent;
  absl::StatusOr<std::string> bytes = ReadAll(**connection, deadline);
  if (!bytes.ok()) return bytes.status();
  return Parse(*std::move(bytes));
}

}  // namespace rollcall::http
