// A store server and peers that talk to it in raw bytes, for tests.
#ifndef ROLLCALL_TESTING_SERVER_SCENARIO_H_
#define ROLLCALL_TESTING_SERVER_SCENARIO_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "net/address.h"
#include "net/connection.h"
#include "net/env.h"
#include "store/protocol/dialect.h"
#include "store/server/server_engine.h"
#include "store/server/server_options.h"
#include "store/server/store_server.h"

namespace rollcall {

// One connection, blocking. What does not come in kPatience is a failure of the test.
class RawPeer {
 public:
  static constexpr absl::Duration kPatience = absl::Seconds(60);

  // Connects; `connection` of a peer that could not is nullptr, and the test has failed.
  RawPeer(net::Env& env, const net::SocketAddress& server);

  void Say(absl::string_view bytes);
  // The next `size_bytes` bytes; fewer, and a failure, if the connection ends before.
  std::string Hear(size_t size_bytes);
  // All that comes until the server closes the connection or cuts it off.
  std::string HearToTheEnd();
  // Closes its own side only.
  void CloseOwnSide();

 private:
  net::Env& env_;
  std::unique_ptr<net::Connection> connection_;
};

// Requests and replies are lines as in store/protocol/wire_text.h: set "/k" "v", signal 0.
class ServerScenario {
 public:
  // `options` without a host: listens on the loopback address only.
  ServerScenario(net::Env& env, ServerOptions options,
                 const ServerEngineFactory& new_engine = nullptr);

  net::Env& env() { return env_; }
  StoreServer& server() { return *server_; }

  // A connection that has said nothing.
  RawPeer Connect();
  // A client that has greeted as its dialect wants.
  RawPeer Client(protocol::Dialect dialect = protocol::Dialect::kModern);
  // Says a modern client's request, and hears as many bytes as `reply` has.
  static std::string Ask(RawPeer& peer, absl::string_view request, absl::string_view reply);
  // Fails the test unless `peer` is answered.
  static void ExpectServed(RawPeer& peer);
  // Has `peer` wait for `key`, and returns once the server knows that it does.
  static void BeginWait(RawPeer& peer, absl::string_view key);

  // The bytes of a modern client's request, and of a reply.
  static std::string Request(absl::string_view line);
  static std::string SetRequest(absl::string_view key, absl::string_view value);
  static std::string LegacyRequest(absl::string_view line);
  static std::string Reply(absl::string_view line);
  static std::string Repeated(absl::string_view bytes, size_t times);

 private:
  net::Env& env_;
  std::unique_ptr<StoreServer> server_;
};

}  // namespace rollcall

#endif  // ROLLCALL_TESTING_SERVER_SCENARIO_H_
