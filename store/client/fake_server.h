// A server that says exactly what a test tells it to.
#ifndef ROLLCALL_STORE_CLIENT_FAKE_SERVER_H_
#define ROLLCALL_STORE_CLIENT_FAKE_SERVER_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/strings/string_view.h"
#include "net/connection.h"
#include "net/env.h"

namespace rollcall::client {

// The server's end of one connection. Everything that should come comes within ten seconds.
class FakePeer {
 public:
  FakePeer(net::Env& env, std::unique_ptr<net::Connection> connection)
      : env_(env), connection_(std::move(connection)) {}

  // Exactly that many bytes; fewer if the client ended the connection.
  std::string Read(size_t size_bytes);
  // The next request, as it begins: fails the test if it is another.
  void Expect(absl::string_view bytes);
  void Write(absl::string_view bytes);
  // The modern greeting, answered as a store answers it.
  void Greet();
  // Returns once the client has closed the connection; what it sent until then.
  std::string ReadToEnd();

 private:
  net::Env& env_;
  const std::unique_ptr<net::Connection> connection_;
};

class FakeServer {
 public:
  // Listens on 127.0.0.1; runs `scripts` in a thread, the n-th with the n-th connection, one after
  // the other; a connection is closed when its script returns.
  using Script = absl::AnyInvocable<void(FakePeer&)>;
  template <typename... Scripts>
  explicit FakeServer(net::Env& env, Scripts... scripts) : env_(env) {
    (scripts_.push_back(Script(std::move(scripts))), ...);
    Begin();
  }
  // Waits until all scripts have run.
  ~FakeServer() { Finish(); }
  void Finish() { thread_.reset(); }

  uint16_t port() const { return socket_->address().port(); }

 private:
  void Begin();

  net::Env& env_;
  std::vector<Script> scripts_;
  std::unique_ptr<net::ListeningSocket> socket_;
  std::unique_ptr<net::Thread> thread_;
};

}  // namespace rollcall::client

#endif  // ROLLCALL_STORE_CLIENT_FAKE_SERVER_H_
