// Fetches one document: what a program needs that reads a status.
#ifndef ROLLCALL_STORE_HTTP_HTTP_GET_H_
#define ROLLCALL_STORE_HTTP_HTTP_GET_H_

#include <cstddef>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "net/address.h"
#include "net/env.h"

namespace rollcall::http {

struct Fetched {
  int status = 0;
  std::string headers;  // As they came, each with its line's end.
  std::string body;
};

// One GET, in HTTP/1.0, so that the body ends with the connection: a library for that would bring
// more than it spares. An absl::Status of net/ where the server cannot be reached or does not
// answer by `deadline`; DataLoss if what it answers is no HTTP, or has more than kFetchedBytesMax.
// `method`: "GET" but in tests.
absl::StatusOr<Fetched> HttpGet(net::Env& env, const net::Endpoint& endpoint,
                                absl::string_view path, absl::Time deadline,
                                absl::string_view method = "GET", absl::string_view host = "");

inline constexpr size_t kFetchedBytesMax = 16 << 20;

}  // namespace rollcall::http

#endif  // ROLLCALL_STORE_HTTP_HTTP_GET_H_
