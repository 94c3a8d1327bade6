// Requests and replies of the modern dialect as they are on the wire, for tests that check what a
// store says byte by byte against client::FakeServer.
#ifndef ROLLCALL_STORE_RAW_REQUESTS_H_
#define ROLLCALL_STORE_RAW_REQUESTS_H_

#include <memory>
#include <string>

#include "absl/strings/escaping.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "net/env.h"
#include "store/client/fake_server.h"
#include "store/tcp_store.h"

namespace rollcall::raw {

inline std::string Bytes(absl::string_view hex) { return absl::HexStringToBytes(std::string(hex)); }

inline const std::string kSetAToOne = Bytes("0102000000000000002f61010000000000000031");
inline const std::string kAddOneToN = Bytes("0402000000000000002f6e0100000000000000");
inline const std::string kGetK = Bytes("0302000000000000002f6b");
inline const std::string kSeven = Bytes("0700000000000000");

inline std::unique_ptr<TcpStore> Connect(net::Env& env, const client::FakeServer& server,
                                         absl::Duration timeout = absl::Seconds(10)) {
  TcpStoreOptions options;
  options.host = "127.0.0.1";
  options.port = server.port();
  options.timeout = timeout;
  return std::make_unique<TcpStore>(env, options);
}

}  // namespace rollcall::raw

#endif  // ROLLCALL_STORE_RAW_REQUESTS_H_
